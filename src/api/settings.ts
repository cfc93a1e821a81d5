import { type Static, Type } from '@sinclair/typebox';

export const Setting = Type.Object({
  key: Type.String(),
  value: Type.String(),
  /** 0: nobody has set it, `value` is the default. */
  version: Type.Integer(),
  /** When and by whom it was set; empty at version 0. */
  at: Type.String(),
  by: Type.String(),
});
export type Setting = Static<typeof Setting>;

export const Settings = Type.Object({
  settings: Type.Array(Setting),
  /** The key to go on after, or null at the end. */
  next: Type.Union([Type.String(), Type.Null()]),
});
export type Settings = Static<typeof Settings>;

export const SettingsQuery = Type.Object({
  prefix: Type.Optional(Type.String({ maxLength: 200 })),
  after: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
export type SettingsQuery = Static<typeof SettingsQuery>;

export const SettingQuery = Type.Object({
  /** `empty`: a free key that does not exist is answered as version 0 instead of 404. */
  absent: Type.Optional(Type.Literal('empty')),
});

export const PutSetting = Type.Object(
  {
    value: Type.String(),
    version: Type.Integer({ minimum: 0, description: 'the version read before; 0: it must not exist yet' }),
  },
  { additionalProperties: false },
);
export type PutSetting = Static<typeof PutSetting>;

export const DeleteSettingQuery = Type.Object({ version: Type.Integer({ minimum: 1 }) });
