import type { Status } from '../api/status.js';
import { type Line, type Node, pictureOf, RADIUS } from './picture.js';

/** The controllers as a picture; each can be opened. */
export function Controllers({ status, open }: { status: Status; open: (machine: string) => void }) {
  const { width, height, nodes, lines } = pictureOf(status);
  return (
    <figure class={nodes.length > 3 ? 'picture' : 'picture few'}>
      {/* biome-ignore lint/a11y/useSemanticElements: there is no fieldset in SVG */}
      <svg viewBox={`0 0 ${width} ${height}`} role="group" aria-label={`Controllers: ${nodes.length}`}>
        {lines.map((line) => (
          <Link key={`${line.from.machine}-${line.to.machine}`} line={line} />
        ))}
        {nodes.map((node) => (
          <Controller key={node.machine} node={node} open={open} />
        ))}
      </svg>
      <figcaption>
        {nodes.length > 1
          ? 'Choose a controller for its details. A small number is the place in the order of succession; a broken line, that one does not reach the other.'
          : 'One controller: nobody takes over when it is lost. Choose it for its details.'}
      </figcaption>
    </figure>
  );
}

function Link({ line: { from, to, reach } }: { line: Line }) {
  return <line class={`link ${reach}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />;
}

function Controller({ node, open }: { node: Node; open: (machine: string) => void }) {
  const { machine, x, y, look, vote, place, role, note } = node;
  const words = [
    `Controller ${machine}`,
    role,
    vote ? 'votes' : 'without a vote',
    note,
    place === null ? '' : `place ${place} in the order of succession`,
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: there is no button in SVG
    <g
      class={`node ${look} ${vote ? '' : 'voteless'}`}
      transform={`translate(${x} ${y})`}
      role="button"
      // In SVG attributes are told apart by case.
      tabindex={0}
      aria-haspopup="dialog"
      aria-label={words.filter((word) => word !== '').join(', ')}
      data-machine={machine}
      onClick={() => open(machine)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        open(machine);
      }}
    >
      <circle class="focus" r={RADIUS + 9} />
      <circle class="disc" r={RADIUS} />
      {look === 'primary' && <circle class="ring" r={RADIUS + 4.5} />}
      <text class="id" y={vote ? -1 : 0}>
        {machine}
      </text>
      <text class="vote" y="15">
        {vote ? 'vote' : 'no vote'}
      </text>
      {place !== null && (
        <g transform={`translate(${RADIUS * 0.76} ${-RADIUS * 0.76})`}>
          <circle class="badge" r="9.5" />
          <text class="place" y="4">
            {place}
          </text>
        </g>
      )}
      <text class="role" y={RADIUS + 21}>
        {role}
      </text>
      <text class="note" y={RADIUS + 36}>
        {note}
      </text>
    </g>
  );
}
