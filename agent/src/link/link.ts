// In: the controller's messages.
// Out: receipts and outcomes; marks, commands and requests to whoever handles them.
// Never: executes a command itself, keeps one for later, or listens on anything.

import type { LowWaterMark } from '@foreshadow/model';
import {
  backoffMs,
  describeError,
  unreachable,
  type Clock,
  type CodedError,
  type Logger,
  type Random,
} from '@foreshadow/runtime';
import type { ControllerMessage, ControlStream, Hello, Welcome } from '@foreshadow/wire';
import { createCommandRunner, type CommandRunner, type CommandRunnerOptions } from './commands.ts';
import { openStallWatch } from './stall.ts';

export const RECONNECT_FIRST_MS = 500;
/** Longer, and hosts hear of nothing for long after a restart; the broker is dialled more often. */
export const RECONNECT_MAX_MS = 5_000;
/**
 * A stream that lasted this long was a good one: the next attempt begins with the shortest wait
 * again. Longer than the streams to a controller that dies while it starts, or those which two
 * agents of one name take from each other; no longer, or a controller that is restarted twice would
 * find agents that wait their longest.
 */
export const STREAM_GOOD_MS = 5_000;

export interface LinkOptions extends Pick<CommandRunnerOptions, 'onCommand'> {
  readonly dial: (handlers: {
    onMessage: (message: ControllerMessage) => void;
    onEnd: (error: CodedError | undefined) => void;
  }) => ControlStream;
  readonly hello: () => Hello;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onMark: (mark: LowWaterMark) => void;
  readonly onSnapshotRequest: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Holds one control stream, again and again, until the signal aborts. */
export async function runLink(options: LinkOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, onCommand } = options;
  using watch = openStallWatch(clock);
  const commands = createCommandRunner({ onCommand, stalledMs: () => watch.stalledMs() }, signal);
  let attempt = 0;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const error = await holdStream(options, commands, signal);
    if (signal.aborted) return;
    attempt = clock.monotonicMs() - startedMs >= STREAM_GOOD_MS ? 0 : attempt + 1;
    const waitMs = backoffMs(
      attempt,
      { firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS },
      options.random,
    );
    const reason = error === undefined ? 'ended by the controller' : describeError(error);
    logger.warn('control stream lost', { reason, retryInMs: waitMs });
    await clock.sleep(waitMs, signal);
  }
}

async function holdStream(
  options: LinkOptions,
  commands: CommandRunner,
  signal: AbortSignal,
): Promise<CodedError | undefined> {
  const { promise, resolve } = Promise.withResolvers<CodedError | undefined>();
  const stream = options.dial({ onMessage: (message) => hear(message), onEnd: resolve });
  const hear = (message: ControllerMessage): void => {
    switch (message.kind) {
      case 'welcome':
        options.logger.info('controller connected', { version: message.welcome.controllerVersion });
        return options.onWelcome(message.welcome);
      case 'low-water-mark':
        return options.onMark(message.mark);
      case 'snapshot-request':
        return options.onSnapshotRequest();
      case 'command':
        return commands.run(message.command);
      default:
        return unreachable(message);
    }
  };
  const stop = (): void => stream.close();
  signal.addEventListener('abort', stop, { once: true });
  stream.send({ kind: 'hello', hello: options.hello() });
  commands.attach((message) => stream.send(message));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
