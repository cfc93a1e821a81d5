import type { Status } from '../api/status.js';

interface Notice {
  readonly text: string;
  readonly bad: boolean;
}

/** What of an environment was lost or came back between two looks, in sentences without a full stop. Pure. */
export function noticed(before: Status, now: Status): Notice[] {
  return [...primaries(before, now), ...controllers(before, now), ...machines(before, now)];
}

function primaries({ ha: { primary: was } }: Status, { ha: { primary: is } }: Status): Notice[] {
  if (was === is) return [];
  if (is === null) return [{ text: `No primary is seen; it was machine ${was}`, bad: true }];
  return [
    was === null
      ? { text: `Machine ${is} is the primary`, bad: false }
      : { text: `The primary moved from machine ${was} to ${is}`, bad: false },
  ];
}

function controllers(before: Status, now: Status): Notice[] {
  const old = new Map(before.controllers.map((controller) => [controller.machine, controller]));
  const gone = before.controllers.filter(({ machine }) => !now.controllers.some((other) => other.machine === machine));
  return [
    ...gone.map(({ machine }) => ({ text: `Machine ${machine} is no controller any more`, bad: false })),
    ...now.controllers.flatMap(({ machine, agent, member }) => {
      const was = old.get(machine);
      if (was === undefined) return [{ text: `Machine ${machine} becomes a controller`, bad: false }];
      const vote = was.member?.vote ?? false;
      const votes = member?.vote ?? false;
      return [
        ...agents(`controller ${machine}`, was.agent, agent),
        ...(vote === votes ? [] : [{ text: `Controller ${machine} ${votes ? 'got' : 'lost'} its vote`, bad: false }]),
      ];
    }),
  ];
}

function machines(before: Status, now: Status): Notice[] {
  const old = new Map(before.machines.map((machine) => [machine.id, machine]));
  return now.machines.flatMap(({ id, agent }) => agents(`machine ${id}`, old.get(id)?.agent ?? agent, agent));
}

type Agent = Status['machines'][number]['agent'];

function agents(whose: string, was: Agent, is: Agent): Notice[] {
  if (was === is) return [];
  if (is === 'down') return [{ text: `The agent of ${whose} fell silent`, bad: true }];
  if (is === 'stopped') return [{ text: `The agent of ${whose} left in order`, bad: false }];
  return is === 'started' ? [{ text: `The agent of ${whose} is heard`, bad: false }] : [];
}
