// In: the operating system and the process.
// Out: what every program needs: clock, randomness, disk, configuration, log, bounds.
// Never: knows a word of the domain.

export { CodedError, codeOf, describeError, unreachable } from './errors.ts';
export { systemClock, type Clock, type Timer } from './clock.ts';
export { seededRandom, type Random } from './random.ts';
export { newBootId, newIdentifier, type NewIdentifier } from './identifiers.ts';
export { backoffMs } from './retry.ts';
export { createPace } from './pace.ts';
export { BoundedQueue } from './queue.ts';
export { systemDisk, type AppendFile, type Disk } from './disk.ts';
export {
  createLogger,
  logLevels,
  type LogFields,
  type LogLevel,
  type Logger,
  type LoggerOptions,
} from './logger.ts';
export { CLOSE_DEADLINE_MS, Lifecycle, runTogether, stopSignal } from './lifecycle.ts';
export { lockFolder } from './lock.ts';
export { tidyMemory } from './memory.ts';
export { CONFIG_BYTES_MAX, parseConfig, type ConfigSource } from './config.ts';
export { checkValue, type Mistake } from './check.ts';
export { editDistance, nearest } from './nearest.ts';
export { isLoopback, requireLoopback } from './loopback.ts';
