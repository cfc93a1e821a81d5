/** A line on the machine's console. */
export function say(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
}
