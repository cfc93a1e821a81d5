import type { Status } from '../api/status.js';
import { plural } from './words.js';

type Machine = Status['machines'][number];

/** More are counted and not listed: a browser is no place for thousands of rows. */
const LISTED = 100;

/** The machines that are no controllers, those that are not well first. */
export function Machines({ machines }: { machines: readonly Machine[] }) {
  if (machines.length === 0) return <p class="muted">None beside the controllers.</p>;
  const listed = [...machines].sort((a, b) => Number(isWell(a)) - Number(isWell(b))).slice(0, LISTED);
  const left = machines.length - listed.length;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">Machine</th>
            <th scope="col">Address</th>
            <th scope="col">Agent</th>
            <th scope="col">Jobs</th>
            <th scope="col">Ports</th>
          </tr>
        </thead>
        <tbody>
          {listed.map((machine) => (
            <Row key={machine.id} machine={machine} />
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <p class="muted below">
          And {plural(left, 'machine')} more: <code>quorate machines</code>
        </p>
      )}
    </>
  );
}

function Row({ machine: { id, address, agent, life, jobs, ports, maintenance } }: { machine: Machine }) {
  return (
    <tr>
      <th scope="row">{id}</th>
      <td data-name="Address">{address || 'none yet'}</td>
      <td data-name="Agent" class={agent === 'down' ? 'bad' : ''}>
        {agent}
        {life === 'alive' ? '' : `, ${life}`}
        {maintenance === null ? '' : ', maintenance'}
      </td>
      <td data-name="Jobs">{jobs.join(' ')}</td>
      <td data-name="Ports">{ports.join(' ')}</td>
    </tr>
  );
}

const isWell = ({ agent, life }: Machine): boolean => agent === 'started' && life === 'alive';
