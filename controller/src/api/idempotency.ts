// Commands asked for under a key are sent once, however often the question is repeated.

import { createHash } from 'node:crypto';
import type { CommandRecord } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { Refusal } from './problems.ts';

export const IDEMPOTENCY_KEYS_MAX = 1_000;
export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;
export const IDEMPOTENCY_KEY_LENGTH_MAX = 128;

const VISIBLE = /^[\x21-\x7e]+$/;

interface Kept {
  readonly digest: string;
  readonly sinceMs: number;
  readonly answer: Promise<CommandRecord>;
}

/**
 * @returns the answer of `act`, or the one that the same key and body had; one that failed is
 * forgotten
 */
export type Once = (
  key: string | undefined,
  body: unknown,
  act: () => Promise<CommandRecord>,
) => Promise<CommandRecord>;

/**
 * Bodies are compared as JSON text; give them in their validated form, whose keys have one order.
 */
export function createOnce(clock: Clock): Once {
  const kept = new Map<string, Kept>(); // In order of insertion, so the first are the oldest.
  const trim = (): void => {
    for (const [key, { sinceMs }] of kept) {
      const isOld = clock.monotonicMs() - sinceMs > IDEMPOTENCY_KEPT_MS;
      if (!isOld && kept.size < IDEMPOTENCY_KEYS_MAX) return;
      kept.delete(key);
    }
  };

  return async (key, body, act) => {
    if (key === undefined) return act();
    if (key.length > IDEMPOTENCY_KEY_LENGTH_MAX || !VISIBLE.test(key)) throw keyInvalid();
    const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    trim();
    const before = kept.get(key);
    if (before !== undefined && before.digest !== digest) throw keyReused(key);
    if (before !== undefined) return before.answer;
    const answer = act();
    kept.set(key, { digest, sinceMs: clock.monotonicMs(), answer });
    try {
      return await answer;
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };
}

function keyInvalid(): Refusal {
  return new Refusal({
    status: 400,
    code: 'IDEMPOTENCY_KEY_INVALID',
    detail: `Idempotency-Key must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters`,
  });
}

function keyReused(key: string): Refusal {
  return new Refusal({
    status: 422,
    code: 'IDEMPOTENCY_KEY_REUSED',
    detail: `Idempotency-Key ${key} was used with another request; take a new key for a new one`,
  });
}
