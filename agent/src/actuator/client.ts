// In: a command for this host. Out: its outcome, from the actuator behind the unix socket.
// Never: throws for an actuator that is absent, silent or talks nonsense; each of these is an
// outcome.

import { connect, type Socket } from 'node:net';
import type { Command, Outcome } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { encodeFrame, FrameReader } from './frames.ts';
import { isRefusal, refuse, systemCode } from './refusal.ts';
import { parseOutcome, type ActuatorRequest } from './request.ts';

export interface ActuatorClient {
  /**
   * Before the request is sent, trouble is `refused` (ACTUATOR_UNREACHABLE): nothing was done.
   * After that, no answer
   * before the deadline, an end of the connection or of patience is `unknown`.
   */
  execute(command: Command, signal: AbortSignal): Promise<Outcome>;
}

export interface ActuatorClientOptions {
  readonly socketPath: string;
  readonly clock: Pick<Clock, 'after'>;
  /** From the call of `execute` to its answer, and never longer than the command may take. */
  readonly timeoutMs: number;
}

/** Beyond the command's own limit: a change that began just in time is confirmed on the disk. */
export const ANSWER_GRACE_MS = 2_000;

/** One connection a command: a restart of the actuator needs no care. */
export function openActuatorClient(options: ActuatorClientOptions): ActuatorClient {
  return { execute: async (command, signal) => execute(options, command, signal) };
}

async function execute(
  options: ActuatorClientOptions,
  command: Command,
  signal: AbortSignal,
): Promise<Outcome> {
  const { id, order, isDryRun, timeLimitMs } = command;
  const request: ActuatorRequest = { id, order, isDryRun, timeLimitMs };
  const frame = encodeFrame(request);
  if (frame === undefined) return refuse('MESSAGE_TOO_LARGE', `${id} is too large to be sent`);
  if (signal.aborted) return unreachable(options, 'the agent is stopping');
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const socket = connect({ path: options.socketPath });
  let isSent = false;
  const giveUp = (reason: string): void =>
    resolve(isSent ? unknown(id, reason) : unreachable(options, reason));
  const stop = (): void => giveUp('the agent is stopping');
  const patienceMs = Math.min(options.timeoutMs, timeLimitMs + ANSWER_GRACE_MS);
  const timer = options.clock.after(patienceMs, () => giveUp(`no answer within ${patienceMs} ms`));
  signal.addEventListener('abort', stop, { once: true });
  socket.on('connect', () => {
    isSent = true;
    socket.write(frame);
  });
  socket.on('error', (error) => giveUp(`the connection gave ${systemCode(error)}`));
  socket.on('close', () => giveUp('the actuator closed the connection'));
  readAnswer(socket, (outcome) => {
    if (outcome === undefined) giveUp('the answer makes no sense');
    else resolve(outcome);
  });
  try {
    return await promise;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function readAnswer(socket: Socket, answer: (outcome: Outcome | undefined) => void): void {
  const reader = new FrameReader();
  socket.on('data', (chunk: Buffer) => {
    reader.add(chunk);
    const next = reader.next();
    if (next === undefined) return;
    answer(isRefusal(next) ? undefined : parseOutcome(next.message));
    socket.pause();
  });
}

function unreachable(options: ActuatorClientOptions, reason: string): Outcome {
  return refuse(
    'ACTUATOR_UNREACHABLE',
    `nothing was done: ${reason} at ${options.socketPath}; is foreshadow-actuator running there?`,
  );
}

function unknown(id: string, reason: string): Outcome {
  return {
    kind: 'unknown',
    sentence: `${id} was sent to the actuator, and ${reason}; send it again under the same id to learn its outcome`,
  };
}
