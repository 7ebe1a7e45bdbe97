// In: the store and a time. Out: the store without samples and closed incidents that are older, a
// bounded step at a time.
// Never: holds up a commit for long, or takes a part of an incident's story and leaves the rest.

import type { HostId, IncidentRecord } from '@foreshadow/model';
import { journalEnd, journalRange, parseJournalKey, prefixRange, prefixes } from './keys.ts';
import type { DurableLevel } from './level.ts';
import { unsealJson } from './seal.ts';

export const RETENTION_HOSTS_PER_STEP = 32;
export const RETENTION_RECORDS_PER_HOST = 2_000;
/** An incident that was closed longer ago is removed with all its records. */
export const INCIDENT_RETENTION_DAYS = 90;
/**
 * The oldest records of incidents, among which a step looks. While so many belong to incidents that
 * are still open, closed ones wait.
 */
export const RETENTION_INCIDENT_RECORDS = 20_000;
const DAY_MS = 24 * 3_600_000;

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

/**
 * Removes incidents that were closed too long ago, all records of one at once. The newest record of
 * all stays: the next one is numbered after it.
 * @returns whether anything was removed
 */
export async function removeClosedIncidents(level: DurableLevel, nowMs: number): Promise<boolean> {
  const cutoffMs = nowMs - INCIDENT_RETENTION_DAYS * DAY_MS;
  const all = prefixRange(prefixes.incident);
  const [newest] = await level.database.keys({ ...all, reverse: true, limit: 1 }).all();
  if (newest === undefined) return false;
  const old: { readonly key: Uint8Array; readonly record: IncidentRecord }[] = [];
  const range = { gte: all.gte, lt: newest, limit: RETENTION_INCIDENT_RECORDS };
  for await (const [key, value] of level.database.iterator(range)) {
    // Its checksum says that this program wrote it.
    const record = unsealJson(key, value) as IncidentRecord | undefined;
    if (record === undefined) continue;
    if (record.atMs >= cutoffMs) break;
    old.push({ key, record });
  }
  const having = (change: IncidentRecord['change']): ReadonlySet<string> =>
    new Set(
      old.filter(({ record }) => record.change === change).map(({ record }) => record.incident),
    );
  const [opened, closed] = [having('opened'), having('closed')];
  const expired = old.filter(
    // What came after the end, as a late outcome, has no beginning once the rest is gone.
    ({ record: { incident } }) => closed.has(incident) || !opened.has(incident),
  );
  if (expired.length > 0) await level.write(expired.map(({ key }) => ({ key })));
  return expired.length > 0;
}
