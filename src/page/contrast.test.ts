import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const css = readFileSync(fileURLToPath(new URL('page.css', import.meta.url)), 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
const coloursOf = (text: string) =>
  Object.fromEntries([...text.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));

/** Contrast of two colours, 1 to 21, as WCAG 2 has it. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [most = 0, least = 0] = [luminance(a), luminance(b)].sort((one, other) => other - one);
  return (most + 0.05) / (least + 0.05);
}

describe.each([
  ['light', coloursOf(light)],
  ['dark', coloursOf(dark)],
])('%s', (_, colours) => {
  test.each([
    ['text', 'ground'],
    ['text', 'card'],
    ['muted', 'ground'],
    ['muted', 'card'],
    ['good', 'good-soft'],
    ['busy', 'card'],
    ['busy', 'busy-soft'],
    ['warn', 'warn-soft'],
    ['bad', 'card'],
    ['bad', 'bad-soft'],
    ['card', 'busy'],
  ])('%s on %s can be read', (text, ground) => {
    expect(contrast(String(colours[text]), String(colours[ground]))).toBeGreaterThanOrEqual(4.5);
  });
});
