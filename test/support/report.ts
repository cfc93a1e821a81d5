import type { AgentReport } from '../../src/state/documents.js';

/** What the agent of a machine without services reports. */
export const REPORT: AgentReport = {
  status: 'started',
  services: {},
  addressVersion: 1,
  sees: [],
  mongod: null,
  succession: { stoodUp: 0, freed: 0, off: '' },
};
