import { describe, expect, test } from 'vitest';
import { controllerOf, statusWith } from '../../test/support/status.js';
import { pictureOf, RADIUS } from './picture.js';

const all = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const whole = (count: number) =>
  all(count).map((machine) => controllerOf(machine, { sees: all(count).filter((other) => other !== machine) }));

describe('the picture of the controllers', () => {
  test.each([1, 2, 3, 5, 7])('%d of them do not touch each other, nor what is written below them', (count) => {
    const { nodes, width, height, lines } = pictureOf(statusWith(whole(count)));
    expect(nodes).toHaveLength(count);
    expect(lines).toHaveLength((count * (count - 1)) / 2);
    for (const [index, a] of nodes.entries()) {
      expect(a.x).toBeGreaterThan(RADIUS + 8);
      expect(a.x).toBeLessThan(width - RADIUS - 8);
      expect(a.y + RADIUS + 38).toBeLessThan(height);
      for (const b of nodes.slice(index + 1)) {
        // Half of "secondary" is 38 wide.
        const aside = Math.abs(a.x - b.x) > RADIUS + 38;
        const below = Math.abs(a.y - b.y) > 2 * RADIUS + 40;
        expect(aside || below, `${a.machine} and ${b.machine}`).toBe(true);
      }
    }
  });

  test('who stands up next: voters by their IDs, those in the primary’s zone last, nobody who does not answer', () => {
    const controllers = whole(4).map((controller, index) => ({ ...controller, zone: index < 2 ? 'a' : 'b' }));
    const places = () => pictureOf(statusWith(controllers)).nodes.map(({ place }) => place);
    expect(places()).toEqual([null, 3, 1, 2]);
    const { member } = controllers[2] as (typeof controllers)[number];
    if (member !== null) member.healthy = false;
    expect(places()).toEqual([null, 2, null, 1]);
  });

  test.each([
    [['1'], ['0'], 'both'],
    [['1'], [], 'one'],
    [[], ['0'], 'one'],
    [[], [], 'none'],
  ] as const)('when 0 reaches %j and 1 reaches %j, the line is %s', (of0, of1, reach) => {
    const controllers = [controllerOf('0', { sees: [...of0] }), controllerOf('1', { sees: [...of1] })];
    expect(pictureOf(statusWith(controllers)).lines[0]?.reach).toBe(reach);
  });

  test('one whose agent is silent says nothing of whom it reaches', () => {
    const silent = controllerOf('1', { agent: 'down', silentSeconds: 9 });
    const line = (sees: string[]) => pictureOf(statusWith([controllerOf('0', { sees }), silent])).lines[0]?.reach;
    expect(line(['1'])).toBe('unknown');
    expect(line([])).toBe('none');
    const [, node] = pictureOf(statusWith([controllerOf('0'), silent])).nodes;
    expect(node).toMatchObject({ look: 'lost', note: 'silent 9 s' });
  });

  test('what is said of each', () => {
    const member = { id: 3, state: 'STARTUP2', vote: false, healthy: true, lagSeconds: null };
    const { nodes } = pictureOf(
      statusWith([
        controllerOf('0'),
        controllerOf('1'),
        controllerOf('2', { agent: 'pending', member: null }),
        controllerOf('3', { member }),
        controllerOf('4', { maintenance: { until: '', secondsLeft: 60 } }),
      ]),
    );
    expect(nodes.map(({ look, role, note, vote }) => [look, role, note, vote])).toEqual([
      ['primary', 'primary', '', true],
      ['well', 'secondary', 'lag 4 ms', true],
      ['changing', 'no member', 'starting', false],
      ['changing', 'startup2', '', false],
      ['changing', 'secondary', 'maintenance', true],
    ]);
  });
});
