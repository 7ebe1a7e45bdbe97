// In: the controller's messages.
// Out: receipts and outcomes; marks, commands and requests to whoever handles them.
// Never: executes a command itself, keeps one for later, or listens on anything.

import type { LowWaterMark, Outcome } from '@foreshadow/model';
import {
  backoffMs,
  describeError,
  unreachable,
  type Clock,
  type CodedError,
  type Logger,
  type Random,
} from '@foreshadow/runtime';
import type {
  AgentMessage,
  ControllerMessage,
  ControlStream,
  Hello,
  TravellingCommand,
  Welcome,
} from '@foreshadow/wire';

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
export const COMMANDS_AT_ONCE_MAX = 4;

export interface LinkOptions {
  readonly dial: (handlers: {
    onMessage: (message: ControllerMessage) => void;
    onEnd: (error: CodedError | undefined) => void;
  }) => ControlStream;
  readonly hello: () => Hello;
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onMark: (mark: LowWaterMark) => void;
  readonly onSnapshotRequest: () => void;
  /** Must not throw; what goes wrong is an outcome. */
  readonly onCommand: (command: TravellingCommand, signal: AbortSignal) => Promise<Outcome>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Holds one control stream, again and again, until the signal aborts. */
export async function runLink(options: LinkOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  let attempt = 0;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const error = await holdStream(options, signal);
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
  signal: AbortSignal,
): Promise<CodedError | undefined> {
  const { promise, resolve } = Promise.withResolvers<CodedError | undefined>();
  const ended = new AbortController();
  const stream = options.dial({
    onMessage: (message) => hear(message),
    onEnd: (error) => {
      ended.abort();
      resolve(error);
    },
  });
  const commands = createCommandRunner(options, (message) => stream.send(message), ended.signal);
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
        return commands(message.command);
      default:
        return unreachable(message);
    }
  };
  const stop = (): void => stream.close();
  signal.addEventListener('abort', stop, { once: true });
  stream.send({ kind: 'hello', hello: options.hello() });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Bounded: a command beyond `COMMANDS_AT_ONCE_MAX` is refused at once, because commands are never
 * queued.
 */
function createCommandRunner(
  options: LinkOptions,
  send: (message: AgentMessage) => void,
  signal: AbortSignal,
): (command: TravellingCommand) => void {
  let runningCount = 0;
  const run = async (command: TravellingCommand): Promise<void> => {
    runningCount += 1;
    send({ kind: 'receipt', command: command.id });
    const outcome = await options.onCommand(command, signal);
    runningCount -= 1;
    send({ kind: 'outcome', command: command.id, outcome });
  };
  return (command) => {
    if (runningCount >= COMMANDS_AT_ONCE_MAX) {
      const sentence = `${COMMANDS_AT_ONCE_MAX} commands are running on this host; ask again when one has ended`;
      send({
        kind: 'outcome',
        command: command.id,
        outcome: { kind: 'refused', code: 'HOST_BUSY', sentence },
      });
      return;
    }
    run(command).catch((error: unknown) => {
      runningCount -= 1;
      const sentence = `the agent could not run the command: ${describeError(error)}`;
      send({
        kind: 'outcome',
        command: command.id,
        outcome: { kind: 'failed', code: 'COMMAND_HANDLER_FAILED', sentence },
      });
    });
  };
}
