// In: the journal and a time. Out: the journal without what is older, a bounded step at a time.
// Never: holds up a commit for long, or touches anything but the journal.

import type { HostId } from '@foreshadow/model';
import { journalEnd, journalRange, parseJournalKey, prefixRange, prefixes } from './keys.ts';
import type { DurableLevel } from './level.ts';

export const RETENTION_HOSTS_PER_STEP = 32;
export const RETENTION_RECORDS_PER_HOST = 2_000;

/**
 * Removes the oldest records before `cutoffMs` of the hosts that follow `after`, in bounded number.
 * @param after undefined: from the first host on
 * @returns the host where the next step goes on; undefined when the round is over
 */
export async function removeExpired(
  level: DurableLevel,
  options: { readonly after: HostId | undefined; readonly cutoffMs: number },
): Promise<HostId | undefined> {
  let { after } = options;
  for (let visited = 0; visited < RETENTION_HOSTS_PER_STEP; visited += 1) {
    const host = await nextHost(level, after);
    if (host === undefined) return undefined;
    const range = journalRange(host, { startMs: 0, endMs: options.cutoffMs });
    await level.clear({ ...range, limit: RETENTION_RECORDS_PER_HOST });
    after = host;
  }
  return after;
}

/**
 * @returns the host whose journal follows that of `after`; a key that cannot be read is passed
 * over. Cost: one seek.
 */
export async function nextHost(
  level: DurableLevel,
  after: HostId | undefined,
): Promise<HostId | undefined> {
  const all = prefixRange(prefixes.journal);
  const gte = after === undefined ? all.gte : journalEnd(after);
  for await (const key of level.database.keys({ gte, lt: all.lt })) {
    const identity = parseJournalKey(key);
    if (identity !== undefined) return identity.host;
  }
  return undefined;
}
