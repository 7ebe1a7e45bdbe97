// In: commands, from whichever stream is open. Out: a receipt and an outcome for each.
// Never: queues a command, or ends one because its stream was lost.

import type { CommandId, Outcome } from '@foreshadow/model';
import { describeError } from '@foreshadow/runtime';
import type { AgentMessage, TravellingCommand } from '@foreshadow/wire';
import { COMMAND_STALL_MS } from './stall.ts';

export const COMMANDS_AT_ONCE_MAX = 4;
/** Newest outcomes that are told again on every new stream. */
export const OUTCOMES_RETOLD_MAX = 16;

export interface CommandRunnerOptions {
  /** Must not throw; what goes wrong is an outcome. */
  readonly onCommand: (command: TravellingCommand, signal: AbortSignal) => Promise<Outcome>;
  /** How long this process did not run, lately. */
  readonly stalledMs: () => number;
}

export interface CommandRunner {
  /**
   * Answers go to this stream from now on, the newest outcomes first: the stream before may have
   * died with them unnoticed. The controller takes each once. An `unknown` one is not told again;
   * the controller concludes it by itself.
   */
  attach(send: (message: AgentMessage) => void): void;
  run(command: TravellingCommand): void;
}

/** @param signal the agent's, not a stream's */
export function createCommandRunner(
  options: CommandRunnerOptions,
  signal: AbortSignal,
): CommandRunner {
  let send: ((message: AgentMessage) => void) | undefined;
  let outcomes: readonly AgentMessage[] = [];
  let runningCount = 0;
  const answer = (command: CommandId, outcome: Outcome): void => {
    const message = { kind: 'outcome', command, outcome } as const;
    if (outcome.kind !== 'unknown') outcomes = [...outcomes, message].slice(-OUTCOMES_RETOLD_MAX);
    send?.(message);
  };
  const perform = async (command: TravellingCommand): Promise<Outcome> => {
    runningCount += 1;
    try {
      return await options.onCommand(command, signal);
    } catch (error) {
      const sentence = `the agent could not run the command: ${describeError(error)}`;
      return { kind: 'failed', code: 'COMMAND_HANDLER_FAILED', sentence };
    } finally {
      runningCount -= 1;
    }
  };
  const run = async (command: TravellingCommand): Promise<void> => {
    const refusal = refuseStale(options.stalledMs()) ?? refuseBusy(runningCount);
    if (refusal !== undefined) return answer(command.id, refusal);
    send?.({ kind: 'receipt', command: command.id });
    answer(command.id, await perform(command));
  };
  return {
    attach: (next) => {
      send = next;
      for (const outcome of outcomes) next(outcome);
    },
    run: (command) => void run(command),
  };
}

/**
 * A process that did not run reads what was asked meanwhile as if it were asked now. What remains
 * open: a command that was on its way for longer than usual, at most until keepalive ends the
 * stream, and a suspended machine, whose monotonic clock stood still too. Only a nonce of the host
 * closes these.
 */
function refuseStale(stalledMs: number): Outcome | undefined {
  if (stalledMs <= COMMAND_STALL_MS) return undefined;
  const stalledSeconds = Math.round(stalledMs / 1_000);
  const sentence = `the agent did not run for ${stalledSeconds} s, and what was asked meanwhile may be stale; nothing was done, ask again`;
  return { kind: 'refused', code: 'COMMAND_EXPIRED', sentence };
}

/** Commands are never queued. */
function refuseBusy(runningCount: number): Outcome | undefined {
  if (runningCount < COMMANDS_AT_ONCE_MAX) return undefined;
  const sentence = `${COMMANDS_AT_ONCE_MAX} commands are running on this host; ask again when one has ended`;
  return { kind: 'refused', code: 'HOST_BUSY', sentence };
}
