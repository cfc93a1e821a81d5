import { expect, test } from 'vitest';
import { EVERYWHERE } from '../machines/cidrs.js';
import { parsePorts } from '../machines/ports.js';
import { exposureNotes, tellIngress } from './exposed.js';
import { symbols } from './output.js';

const http = { ...parsePorts('80'), cidrs: [...EVERYWHERE] };
const database = { ...parsePorts('5432'), cidrs: ['10.0.0.0/8', '192.168.0.0/16'] };
const ingress = { rules: [http, database], version: 2, open: true, address: '127.255.3.4', error: '' };
const machine = { machine: '3', started: true, ingress };

test('what is exposed is told with where, and for whom', () => {
  expect(tellIngress(machine)).toBe(
    'Exposed on machine 3, at 127.255.3.4: 80/tcp, 5432/tcp for 10.0.0.0/8, 192.168.0.0/16.',
  );
  expect(tellIngress({ ...machine, ingress: { ...ingress, rules: [] } })).toBe('Nothing is exposed on machine 3.');
});

test('what is not in effect is not told as if it were', () => {
  expect(tellIngress({ ...machine, ingress: { ...ingress, open: false } })).toMatch(/not in effect yet/);
  expect(tellIngress({ ...machine, ingress: { ...ingress, open: false, rules: [] } })).toMatch(/not in effect yet/);
  expect(tellIngress({ ...machine, ingress: { ...ingress, open: false, error: 'No right.' } })).toMatch(
    /Not all of it is open: No right\.$/,
  );
  expect(tellIngress({ ...machine, started: false, ingress: { ...ingress, open: false } })).toMatch(
    /as soon as it has its instance/,
  );
});

test('below a table there is a line for each machine with exposed ports', () => {
  const sign = symbols({ ascii: true });
  const lines = exposureNotes(
    [
      { id: '1', ingress: null },
      { id: '2', ingress: { ...ingress, rules: [] } },
      { id: '3', ingress: { ...ingress, rules: [http] } },
      { id: '4', ingress: { ...ingress, rules: [http], open: false, address: '' } },
    ],
    sign,
  );
  expect(lines).toEqual([
    `  ${sign.note} 3: exposed at 127.255.3.4: 80/tcp`,
    `  ${sign.note} 4: exposed: 80/tcp; not open yet`,
  ]);
});
