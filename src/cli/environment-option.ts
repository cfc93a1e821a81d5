/** `-e NAME` in front of the command, as people type it who think of the environment first, is the command's own. Pure. */
export function environmentLast(words: readonly string[]): string[] {
  const [option = ''] = words;
  const joined = /^(--environment=.+|-e.+)$/.test(option);
  if (!joined && option !== '-e' && option !== '--environment') return [...words];
  const given = words.slice(0, joined ? 1 : 2);
  const command = words.slice(given.length);
  if (command.length === 0) return [...words];
  // What stands after `--` belongs to somebody else's command.
  const end = command.includes('--') ? command.indexOf('--') : command.length;
  return [...command.slice(0, end), ...given, ...command.slice(end)];
}
