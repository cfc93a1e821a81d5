import { defineSignal, setHandler } from '@temporalio/workflow';
import { HANDED_OVER } from '../src/temporal/names.js';

/** Takes in what a worker tells that goes on with another one's watch. That the history has it is all it is for. */
export function keepHandOvers(): void {
  setHandler(defineSignal(HANDED_OVER), () => undefined, {
    description: 'Told by a worker that goes on with the watch of one that was lost or has left',
  });
}
