import { TAKEOVER, takeoverMs } from '../src/state/settings.js';
import type { Network } from './network.js';

export type TakeoverActivities = ReturnType<typeof takeoverActivities>;

export function takeoverActivities({ state }: Network) {
  return {
    /** The setting `takeover`, in milliseconds. */
    async readTakeover(): Promise<number> {
      return takeoverMs((await state.settings.findOne({ _id: TAKEOVER }))?.value);
    },
  };
}
