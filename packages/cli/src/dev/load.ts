// In: services and a rate. Out: the same light, steady load on each of them.
// Never: queues: a request that is still running when the bound is reached is left out and counted.

import { Agent, get } from 'node:http';
import type { Clock } from '@foreshadow/runtime';

export const REQUESTS_IN_FLIGHT_MAX = 32;
const REQUEST_LIMIT_MS = 5_000;

export interface LoadTarget {
  readonly port: number;
  /** Requests per second. */
  readonly rate: number;
}

export interface LoadCounts {
  answeredCount: number;
  failedCount: number;
  leftOutCount: number;
}

/** Sends to all targets in the same order until the signal aborts. */
export async function runLoad(
  targets: readonly LoadTarget[],
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly LoadCounts[]> {
  const counts = targets.map((): LoadCounts => ({
    answeredCount: 0,
    failedCount: 0,
    leftOutCount: 0,
  }));
  const agents = targets.map(
    () => new Agent({ keepAlive: true, maxSockets: REQUESTS_IN_FLIGHT_MAX }),
  );
  await Promise.all(
    targets.map((target, index) =>
      loadOne(target, { agent: agents[index], count: counts[index], clock }, signal),
    ),
  );
  for (const agent of agents) agent.destroy();
  return counts;
}

interface LoadContext {
  readonly agent: Agent | undefined;
  readonly count: LoadCounts | undefined;
  readonly clock: Clock;
}

async function loadOne(
  target: LoadTarget,
  { agent, count, clock }: LoadContext,
  signal: AbortSignal,
): Promise<void> {
  if (agent === undefined || count === undefined || target.rate === 0) return;
  let inFlight = 0;
  let sent = 0;
  const startedMs = clock.monotonicMs();
  while (!signal.aborted) {
    sent += 1;
    const waitMs = startedMs + (sent * 1_000) / target.rate - clock.monotonicMs();
    try {
      await clock.sleep(Math.max(0, waitMs), signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (inFlight >= REQUESTS_IN_FLIGHT_MAX) {
      count.leftOutCount += 1;
      continue;
    }
    inFlight += 1;
    sendRequest(target.port, agent, sent, (isAnswered) => {
      inFlight -= 1;
      if (isAnswered) count.answeredCount += 1;
      else count.failedCount += 1;
    });
  }
}

function sendRequest(
  port: number,
  agent: Agent,
  number: number,
  onEnd: (isAnswered: boolean) => void,
): void {
  let hasEnded = false;
  const end = (isAnswered: boolean): void => {
    if (hasEnded) return;
    hasEnded = true;
    onEnd(isAnswered);
  };
  const path = `/order/${String(number).padStart(10, '0')}`;
  const request = get(
    { host: '127.0.0.1', port, path, agent, timeout: REQUEST_LIMIT_MS },
    (response) => {
      response.resume();
      response.once('end', () => end(response.statusCode === 200));
      response.once('error', () => end(false));
    },
  );
  request.once('timeout', () => request.destroy());
  request.once('error', () => end(false));
}
