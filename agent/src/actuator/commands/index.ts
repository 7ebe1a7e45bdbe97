// In: an order. Out: the commands of the actuator, all of them.
// Never: finds a command by a name from outside; the list is the documentation.

export { markKnownGood, VERSION_FILES_MAX } from './mark-known-good.ts';
export { restore } from './restore.ts';
export { undo } from './undo.ts';
export { resolveReplacement } from './replacement.ts';
export type { ActuatorCommand, CommandContext } from './command.ts';
