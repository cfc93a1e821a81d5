import type { Direction } from '../conditions.js';
import { numberOf } from './subnet.js';

/** Packets between an instance and one address, or all addresses (`*`), that are to vanish. */
export interface Drop {
  readonly address: string;
  readonly direction: Direction;
}

// Classic BPF (linux/filter.h) and what a direct-action filter may answer (linux/pkt_cls.h).
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const SHOT = 2;
const OK = 0;
/** In an Ethernet frame. */
const TYPE_AT = 12;
const SOURCE_AT = 26;
const DESTINATION_AT = 30;
const ARP = 0x0806;
const IPV4 = 0x0800;

/**
 * The filter on one way of an instance's link, as `tc … bpf bytecode` takes it; null when nothing is dropped. Frames vanish
 * without an answer: connections are not reset. ARP passes, else the neighbours would be told at once that nobody is there.
 * @param way `out`: frames that the instance sends; `in`: frames sent to it
 */
export function filterFor(drops: readonly Drop[], way: 'in' | 'out'): string | null {
  const here = drops.filter(({ direction }) => direction === way || direction === 'both');
  if (here.length === 0) return null;
  if (here.some(({ address }) => address === '*')) {
    return program([
      [LOAD_HALF, 0, 0, TYPE_AT],
      [JUMP_IF_EQUAL, 0, 1, ARP],
      [RETURN, 0, 0, OK],
      [RETURN, 0, 0, SHOT],
    ]);
  }
  // A jump is at most 255 instructions long, so each address has its own way out.
  const peers = here.flatMap(({ address }) => [
    [JUMP_IF_EQUAL, 0, 1, numberOf(address)],
    [RETURN, 0, 0, SHOT],
  ]);
  return program([
    [LOAD_HALF, 0, 0, TYPE_AT],
    [JUMP_IF_EQUAL, 1, 0, IPV4],
    [RETURN, 0, 0, OK],
    [LOAD_WORD, 0, 0, way === 'out' ? DESTINATION_AT : SOURCE_AT],
    ...peers,
    [RETURN, 0, 0, OK],
  ]);
}

function program(instructions: readonly (readonly number[])[]): string {
  return [instructions.length, ...instructions.map((each) => each.join(' '))].join(',');
}
