// In: hosts, pairs and families. Out: the NATS subjects on which everything travels.
// Never: is written out anywhere else.

import type { EventFamily, HostId, PairId } from '@foreshadow/model';

const NAMESPACE = 'foreshadow.v1';

/** All samples of all hosts and partitions. */
export const SAMPLES_WILDCARD = `${NAMESPACE}.samples.*.*`;
/** All events of all families and pairs. */
export const EVENTS_WILDCARD = `${NAMESPACE}.event.>`;

/** @param partition token which the controller gave at Welcome */
export function samplesSubject(partition: string, host: HostId): string {
  return `${NAMESPACE}.samples.${partition}.${host}`;
}

export function eventSubject(family: EventFamily, pair: PairId): string {
  return `${NAMESPACE}.event.${family}.${pair}`;
}
