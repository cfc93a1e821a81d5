import pico from 'picocolors';

export interface Colours {
  readonly plain: (text: string) => string;
  readonly good: (text: string) => string;
  readonly busy: (text: string) => string;
  readonly bad: (text: string) => string;
}

const plain = (text: string): string => text;

/** Colours for a stream: none unless it is a terminal, and none where NO_COLOR asks for none. */
export function colours(stream: NodeJS.WriteStream): Colours {
  if (!stream.isTTY || process.env.NO_COLOR) return { plain, good: plain, busy: plain, bad: plain };
  const { green, yellow, red } = pico.createColors(true);
  return { plain, good: green, busy: yellow, bad: red };
}
