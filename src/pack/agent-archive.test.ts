import { expect, test } from 'vitest';
import { isWanted } from './agent-archive.js';

const BRIDGE = 'node_modules/@temporalio/core-bridge';

test.each([
  ['node_modules/source-map/lib/mappings.wasm', true],
  ['node_modules/@grpc/grpc-js/proto/channelz.proto', true],
  ['node_modules/@grpc/grpc-js/build/src/client.d.ts', false],
  ['node_modules/@grpc/grpc-js/build/src/client.js.map', false],
  ['node_modules/@grpc/grpc-js/build/src/client.js', true],
  [`${BRIDGE}/index.js`, true],
  [`${BRIDGE}/lib/native.js`, true],
  [`${BRIDGE}/src/lib.rs`, false],
  [`${BRIDGE}/sdk-core/Cargo.toml`, false],
  [`${BRIDGE}/releases/aarch64-unknown-linux-gnu/index.node`, true],
  [`${BRIDGE}/releases/x86_64-unknown-linux-gnu/index.node`, false],
  [`${BRIDGE}/releases/aarch64-apple-darwin/index.node`, false],
])('an instance with arm64 gets %s: %s', (name, wanted) => {
  expect(isWanted(name, 'arm64')).toBe(wanted);
});
