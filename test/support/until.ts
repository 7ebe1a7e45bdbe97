// In: a question. Out: its first answer that is not undefined.
// Never: waits without a bound; what did not happen in time is an error that names it.

import { setTimeout as sleep } from 'node:timers/promises';

const UNTIL_LIMIT_MS = 15_000;
const POLL_MS = 20;

/** @throws Error naming `what` after 15 s */
export async function until<Value>(
  what: string,
  ask: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  const deadlineMs = performance.now() + UNTIL_LIMIT_MS;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
    await sleep(POLL_MS);
  }
}
