import { expect, test } from 'vitest';
import { localPorts } from './free.js';

test("only the process's own connections are chosen", () => {
  const listing = [
    'ESTAB 0      0      127.0.0.1:52440 127.0.9.7:37017 users:(("mongod",pid=115,fd=19))',
    'ESTAB 0      0      127.0.0.1:52441 127.0.9.7:37017 users:(("mongod",pid=1154,fd=20))',
    'ESTAB 0      0      [::ffff:127.0.0.1]:52442 127.0.9.7:37017 users:(("mongod",pid=115,fd=21))',
    'TIME-WAIT 0  0      127.0.0.1:52443 127.0.9.7:37017',
    '',
  ].join('\n');
  expect(localPorts(listing, 115)).toEqual(['52440', '52442']);
  expect(localPorts('', 115)).toEqual([]);
});
