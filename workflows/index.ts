/** Every workflow type, by its name. */
export { bootstrap } from './bootstrap.js';
export { cleaner } from './cleaner.js';
export { destroy } from './destroy.js';
export { firewaller } from './firewaller.js';
export { configure, disableHa, enableHa, replace, switchover } from './membership.js';
export { planChange } from './plan-change.js';
export { provisioner } from './provisioner.js';
export { publisher } from './publisher.js';
export { recover, surveyMembers } from './recover.js';
export { rotateCa } from './rotate-ca.js';
export { sentinel } from './sentinel.js';
