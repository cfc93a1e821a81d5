/** What must have gone before something is done to a machine, its address or its document. */
import { answers, machineOf, mayBePublished, memberOf, othersLate, runsServices, withoutAddresses } from '../facts.js';
import { hasExpired, othersHaveExpired } from '../waits.js';
import { type Invariant, refused } from './invariant.js';

export const membershipFirst: Invariant = {
  name: 'membership-first',
  says: 'a machine loses its membership before its jobs or its data',
  holds: ({ observed }, deed) => {
    const machines = deed.kind === 'drop-jobs' ? deed.machines : deed.kind === 'renew-member' ? [deed.machine] : [];
    return machines.every((id) => memberOf(observed, id) === undefined);
  },
  instead: refused('would stop the mongod of a member'),
};

export const addressesFirst: Invariant = {
  name: 'addresses-first',
  says: 'addresses go away, and everyone has heard so, before what answers on them stops',
  holds: ({ observed, expired }, deed) =>
    deed.kind !== 'drop-jobs' ||
    (!deed.machines.some((id) => observed.addresses.machines.includes(id)) &&
      withoutAddresses(observed).every((machine) => hasExpired(expired, 'agents', machine.id)) &&
      (othersLate(observed) === 0 || othersHaveExpired(expired))),
  instead: refused('would stop a controller that clients still look for'),
};

export const evidence: Invariant = {
  name: 'evidence',
  says: 'a machine is written off only with nothing of it answering, or on its cloud’s word',
  holds: ({ observed }, deed) =>
    deed.kind !== 'mark-dying' ||
    deed.machines.every((id) => {
      const machine = machineOf(observed, id);
      const member = memberOf(observed, id);
      if (machine === undefined) return false;
      if (machine.instance === 'terminated') return true;
      const silent = machine.agent !== 'started' && !(member && answers(member));
      return silent && !(machine.maintenance && machine.agent !== 'pending');
    }),
  instead: refused('would write off a machine that answers, or that is under maintenance'),
};

export const servicesFirst: Invariant = {
  name: 'services-first',
  says: 'a machine’s services stop before its instance ends, unless it is lost',
  holds: ({ observed, expired }, deed) =>
    deed.kind !== 'mark-dead' ||
    deed.machines.every((id) => {
      const machine = machineOf(observed, id);
      const member = memberOf(observed, id);
      if (machine === undefined || machine.life !== 'dying' || (member && answers(member))) return false;
      if (machine.agent !== 'started' || machine.instance === 'terminated') return true;
      return !member && (!runsServices(machine) || hasExpired(expired, 'services-stopped', id));
    }),
  instead: refused('would end a machine that still serves'),
};

export const enough: Invariant = {
  name: 'enough',
  says: 'no machine is started while those that are controllers, or become it, suffice',
  holds: ({ goal, seats }, deed) => deed.kind !== 'add-machines' || seats.stay.length + deed.count <= goal.controllers,
  instead: refused('would start more machines than are wanted'),
};

export const published: Invariant = {
  name: 'published',
  says: 'only controllers are published, and never none',
  holds: ({ observed }, deed) =>
    deed.kind !== 'publish' ||
    (deed.machines.length > 0 &&
      deed.machines.every((id) => {
        const machine = machineOf(observed, id);
        return machine !== undefined && mayBePublished(machine);
      })),
  instead: refused('would publish the address of a machine that is no controller'),
};
