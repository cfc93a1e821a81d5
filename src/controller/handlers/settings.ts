import { ReadConcern } from 'mongodb';
import type { Setting } from '../../api/settings.js';
import { QuorateError } from '../../errors.js';
import * as writes from '../../state/setting-writes.js';
import { checkKey, effectiveValue, FREE_PREFIX, SETTINGS } from '../../state/settings.js';
import type { State } from '../../state/state.js';
import type { Call, Controller, Handler } from '../call.js';
import { changeOf, WRITE_MS } from '../change.js';
import type { Reading } from '../reading.js';
import { settingView } from '../views.js';

const PAGE = 100;

/**
 * Settings are never told as a single member has them: without a majority they may be of a while ago, but what is told was
 * acknowledged, and nothing of it will be taken back.
 */
const readKnown = <T>(reader: Controller['reader'], work: (options: Reading['options']) => Promise<T>): Promise<T> =>
  reader.read(({ options }) => work({ ...options, readConcern: new ReadConcern('majority') }));

export const listSettings: Handler<'settings'> = async (controller, { query }) => {
  const { prefix = '', after = '', limit = PAGE } = query;
  const from = after >= prefix ? { $gt: after } : { $gte: prefix };
  const { state, reader } = controller;
  return await readKnown(reader, async (options) => {
    const [documents, cloud] = await Promise.all([
      state.settings
        .find({ _id: { ...from, $lt: `${prefix}\uffff` } }, { ...options, projection: { requests: 0 } })
        .sort({ _id: 1 })
        .limit(limit + 1)
        .toArray(),
      cloudOf(state, options),
    ]);
    const stored = documents.map(settingView);
    const defaults = SETTINGS.filter(
      ({ name }) => name.startsWith(prefix) && name > after && !stored.some(({ key }) => key === name),
    ).map(({ name }) => absent(name, cloud));
    const all = [...stored, ...defaults].sort((a, b) => (a.key < b.key ? -1 : 1));
    const settings = all.slice(0, limit);
    return { settings, next: all.length > limit ? (settings.at(-1)?.key ?? null) : null };
  });
};

export const getSetting: Handler<'setting'> = async ({ state, reader }, { params: { key = '' }, query }) => {
  checkKey(key);
  return await readKnown(reader, async (options) => {
    const document = await state.settings.findOne({ _id: key }, options);
    if (document !== null) return settingView(document);
    if (key.startsWith(FREE_PREFIX) && query.absent !== 'empty') {
      throw new QuorateError('not-found', `Nobody has set ${key}.`, {
        todo: `Set it with: quorate config ${key}=VALUE.`,
      });
    }
    return absent(key, await cloudOf(state, options));
  });
};

export const putSetting: Handler<'putSetting'> = async ({ state }, call) => {
  const { key, by, request } = settingChangeOf(call);
  const { value, version } = call.body;
  return settingView(await writes.writeSetting(state, { key, value, version, by, request }, WRITE_MS));
};

export const deleteSetting: Handler<'deleteSetting'> = async ({ state }, call) => {
  const { key, request } = settingChangeOf(call);
  await writes.deleteSetting(state, { key, version: call.query.version, request }, WRITE_MS);
  return {};
};

function settingChangeOf(call: Call<'putSetting'> | Call<'deleteSetting'>) {
  const { caller, request } = changeOf(call);
  return { key: call.params.key ?? '', by: caller.user, request };
}

function absent(key: string, cloud: string): Setting {
  return { key, value: effectiveValue(key, undefined, cloud), version: 0, at: '', by: '' };
}

async function cloudOf(state: Controller['state'], options: object): Promise<string> {
  const environment = await (state as State).environment.findOne({}, { ...options, projection: { cloud: 1 } });
  return environment?.cloud ?? '';
}
