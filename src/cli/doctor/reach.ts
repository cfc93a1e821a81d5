import type { Matrix } from '../matrix.js';
import { type Judged, well, wrong } from './finding.js';

/** Links that are cut, and controllers that this machine does not reach. Pure. */
export function judgeReach({ environment, controllers, cuts, errors }: Matrix): readonly Judged[] {
  const todo = `Look at what lies between them (firewall, routes, both consoles): quorate controllers --matrix -e ${environment}`;
  const judged = [
    ...errors.map(({ machine, address, problem }) =>
      wrong(
        `machine ${machine} at ${address} could not be asked: ${problem}`,
        `See its console: quorate cloud log ${machine} -e ${environment}`,
      ),
    ),
    ...cuts.map((cut) => wrong(cut.replace(/\.$/, ''), todo)),
  ];
  if (judged.length > 0) return judged;
  return [well(controllers.length === 1 ? 'the controller answers' : 'every controller reaches every other')];
}
