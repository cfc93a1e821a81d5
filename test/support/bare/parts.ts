import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Part } from '../../../src/cloud/ec2/boot/sources.js';
import type { Architecture } from '../../../src/cloud/ec2/image-names.js';
import { packAgent } from '../../../src/pack/agent-archive.js';

/** Of this machine, whose programs the parts are. */
export const ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';

/** An archive of what an instance is made of, with its SHA-256 in hex. */
export interface PackedPart {
  readonly file: string;
  readonly sha256: string;
}

/** Writes archives of this machine's Node, the mongod of the tests and our package into a directory. */
export async function packParts(directory: string): Promise<Readonly<Record<Part, PackedPart>>> {
  const agent = path.join(directory, 'agent.tar.gz');
  writeFileSync(agent, (await packAgent(ARCHITECTURE)).bytes);
  return {
    node: packed(pack(directory, 'node', process.execPath)),
    mongod: packed(pack(directory, 'mongod', process.env.QUORATE_MONGOD ?? '')),
    agent: packed(agent),
  };
}

/** As its makers pack it: a folder with the program in its `bin`, and what nobody needs. */
function pack(directory: string, name: string, program: string): string {
  const file = path.join(directory, `${name}.tar`);
  const transform = ['--transform', `s|.*/||;s|^|${name}-v1/bin/|`, '--owner', 'packer:1000', '--absolute-names'];
  execFileSync('tar', ['-cf', file, '--dereference', ...transform, program, process.argv[1] ?? '']);
  return file;
}

const packed = (file: string): PackedPart => ({
  file,
  sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
});
