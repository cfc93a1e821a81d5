import { exposePorts, unexposePorts } from '../../state/exposures.js';
import type { Handler } from '../call.js';
import { machineChangeOf, WRITE_MS } from '../change.js';

export const expose: Handler<'expose'> = async ({ state }, call) => {
  const { machine, request } = machineChangeOf(call);
  const { rules } = call.body;
  return { machine, rules: [...(await exposePorts(state, { machine, rules, request }, WRITE_MS))] };
};

export const unexpose: Handler<'unexpose'> = async ({ state }, call) => {
  const { machine, request } = machineChangeOf(call);
  const { ports } = call.body;
  return { machine, rules: [...(await unexposePorts(state, { machine, ports, request }, WRITE_MS))] };
};
