import type { ClientSession } from 'mongodb';
import { QuorateError } from '../errors.js';
import { type Constraints, parseConstraints } from '../machines/constraints.js';
import { type Offer, place } from '../machines/offer.js';
import type { EnvironmentDocument, MachineDocument } from './documents.js';
import type { State } from './state.js';

/** What every new controller must at least be, whoever asks for it: a person, or the sentinel for one that is lost. */
export const CONTROLLER_CONSTRAINTS = 'controller-constraints';

/** What an environment's cloud has to give, as its document has it. */
export const offerOf = ({ zones, instanceTypes = [] }: EnvironmentDocument): Offer => ({ zones, types: instanceTypes });

/** The zones that the stored constraints leave to new controllers; all where none are stored, or none of them is there. */
export function controllerZones(environment: EnvironmentDocument, stored: string | undefined): readonly string[] {
  const { zones } = parseConstraints([stored ?? '']);
  const allowed = environment.zones.filter((zone) => zones?.includes(zone) ?? true);
  return allowed.length > 0 ? allowed : environment.zones;
}

/** Refuses a value that the environment's cloud cannot meet, and says what comes nearest. */
export async function checkOffered(state: State, key: string, value: string): Promise<void> {
  if (key !== CONTROLLER_CONSTRAINTS) return;
  const environment = await state.environment.findOne({});
  if (environment !== null) place(parseConstraints([value]), offerOf(environment));
}

/** Why the environment's cloud cannot meet them, in words; null when it can. */
export function whyNotOffered(
  environment: EnvironmentDocument,
  value: string,
): { message: string; todo: string } | null {
  try {
    place(parseConstraints([value]), offerOf(environment));
    return null;
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return { message: error.message, todo: error.todo };
  }
}

/** The fields of a new controller's document that the stored constraints decide. */
export async function controllerFields(
  state: State,
  session: ClientSession,
  environment: EnvironmentDocument,
): Promise<Pick<MachineDocument, 'constraints' | 'instanceType'>> {
  const setting = await state.settings.findOne({ _id: CONTROLLER_CONSTRAINTS }, { session });
  return placed(parseConstraints([setting?.value ?? '']), offerOf(environment));
}

/** The same from constraints at hand. */
export function placed(constraints: Constraints, offer: Offer): Pick<MachineDocument, 'constraints' | 'instanceType'> {
  if (Object.keys(constraints).length === 0) return {};
  const { instanceType } = place(constraints, offer);
  return { constraints, ...(instanceType === '' ? {} : { instanceType }) };
}
