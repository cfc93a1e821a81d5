/** What a line may hold by mistake: it is the last thing that looks at a line before it is written or served. */

const CENSORED = '[secret]';

/** Whatever a field or argument is called that ends so. */
const NAMES = `[\\w-]*(?:${[
  'authorization',
  'cookie',
  'password',
  'passphrase',
  'token',
  'secret',
  'sealed',
  '(?:api|private|ca|boot)[-_]?key',
].join('|')})`;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // `"token":"…"` in JSON, and in JSON that stands as text in a field, with the same escapes around the value.
  [new RegExp(`(\\\\*"(?:${NAMES})\\\\*"\\s*:\\s*)(\\\\*")(?:(?!\\2).)*\\2`, 'gi'), `$1$2${CENSORED}$2`],
  // `--token=…`, `password=…&`
  [new RegExp(`\\b(${NAMES})=[^\\s&"'\\\\]+`, 'gi'), `$1=${CENSORED}`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${CENSORED}`],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs, `${CENSORED} ($1private key)`],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"]+):[^\s/@"]+@/gi, `$1:${CENSORED}@`],
];

/** The text without tokens, passwords and private keys. Pure; what holds none is returned as it is. */
export function withoutSecrets(text: string): string {
  return PATTERNS.reduce((left, [pattern, censored]) => left.replace(pattern, censored), text);
}
