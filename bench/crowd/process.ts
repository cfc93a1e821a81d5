import { Crowd, type Ground } from './agents.js';

/**
 * The process of the crowd, apart from who measures: a thousand handshakes at once would stand in the way of what other
 * clients wait for. It is asked by messages and answers each.
 */
export type Asked =
  | { readonly ask: 'ground'; readonly ground: Ground }
  | { readonly ask: 'join'; readonly machines: readonly string[] }
  | { readonly ask: 'there' }
  | { readonly ask: 'ended' }
  | { readonly ask: 'leave' };

/** Counts, of what was asked for. */
export type Answered = { readonly counts: Readonly<Record<string, number>> } | { readonly failed: string };

let crowd: Crowd | null = null;

async function answer(asked: Asked): Promise<Answered> {
  if (asked.ask === 'ground') crowd = new Crowd(asked.ground);
  if (asked.ask === 'join') await crowd?.join(asked.machines);
  if (asked.ask === 'leave') await crowd?.leave();
  return { counts: (asked.ask === 'ended' ? crowd?.ended() : crowd?.there) ?? {} };
}

process.on('message', (asked: Asked) => {
  answer(asked).then(
    (answered) => process.send?.(answered),
    (error) => process.send?.({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
