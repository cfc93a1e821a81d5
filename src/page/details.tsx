import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { evidenceText } from '../api/evidence.js';
import type { ControllerStatus, Status } from '../api/status.js';
import { elapsed, lag } from './words.js';

/** One controller in detail, over the page; Esc closes it, and the focus goes back to where it was. */
export function Details(props: { status: Status; machine: string; now: number; close: () => void }) {
  const { status, machine, now, close } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const controller = status.controllers.find((one) => one.machine === machine);
  return (
    // A click on what is not the dialog's own content is one beside it; Esc and the button serve the keyboard.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <dialog
      ref={dialog}
      aria-labelledby="details"
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="sheet">
        <header>
          <h2 id="details">Controller {machine}</h2>
          <form method="dialog">
            <button type="submit">Close</button>
          </form>
        </header>
        {controller === undefined ? (
          <p>It is no controller any more.</p>
        ) : (
          <Facts controller={controller} primary={status.ha.primary} now={now} />
        )}
      </div>
    </dialog>
  );
}

function Facts(props: { controller: ControllerStatus; primary: string | null; now: number }) {
  const { controller, primary, now } = props;
  const { member, evidence, services, mongod, disk, succession } = controller;
  const since = controller.since === '' ? '' : ` for ${elapsed(now - Date.parse(controller.since))}`;
  return (
    <>
      {evidence !== null && <p class="notice bad">Seen: {evidenceText(evidence)}.</p>}
      <dl>
        <Fact name="Agent">
          {controller.agent}
          {since}
          {controller.agentVersion === '' ? '' : `, version ${controller.agentVersion}`}
        </Fact>
        <Fact name="Member">
          {member === null
            ? 'none'
            : `${member.state}, ${member.vote ? 'votes' : 'without a vote'}${member.healthy ? '' : ', not reached'}`}
        </Fact>
        {member !== null && member.lagSeconds !== null && controller.machine !== primary && (
          <Fact name="Lag">{lag(member.lagSeconds)}</Fact>
        )}
        <Fact name="Reaches">{controller.sees.length === 0 ? 'no other controller' : controller.sees.join(', ')}</Fact>
        {Object.entries(services).map(([name, { state, message, restarts }]) => (
          <Fact key={name} name={SERVICES[name] ?? name}>
            {state}
            {name === 'mongod' && mongod !== null ? `, ${mongod.version}` : ''}
            {restarts > 0 ? `, started again ${restarts} ${restarts === 1 ? 'time' : 'times'}` : ''}
            {message === '' ? '' : `: ${message}`}
          </Fact>
        ))}
        <Fact name="Succession">
          stood up {succession.stoodUp}, freed {succession.freed}
          {succession.off === '' ? '' : `; off: ${succession.off}`}
        </Fact>
        {controller.maintenance !== null && (
          <Fact name="Maintenance">for {elapsed(controller.maintenance.secondsLeft * 1000)} more</Fact>
        )}
        <Fact name="API">
          <code>{controller.api || 'none yet'}</code>
        </Fact>
        <Fact name="MongoDB">
          <code>{controller.mongo || 'none yet'}</code>
        </Fact>
        <Fact name="Instance">
          <code>{controller.instance || 'none yet'}</code>
        </Fact>
        {controller.zone !== '' && <Fact name="Zone">{controller.zone}</Fact>}
        {disk !== null && (
          <Fact name="Disk">
            {gigabytes(disk.freeBytes)} of {gigabytes(disk.totalBytes)} free
          </Fact>
        )}
        {controller.certificateEnds !== '' && (
          <Fact name="Certificate ends">{controller.certificateEnds.slice(0, 10)}</Fact>
        )}
      </dl>
    </>
  );
}

const SERVICES: Readonly<Record<string, string>> = { mongod: 'mongod', api: 'API server', worker: 'Worker' };

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
