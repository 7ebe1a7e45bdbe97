// In: nothing. Out: CloudEvents as they stand on NATS, and the subjects of them.
// Never: publishes; packages/wire does.

import type { PairId } from './ids.ts';

export const eventFamilies = ['drift', 'verdict', 'incident', 'decision', 'command'] as const;
export type EventFamily = (typeof eventFamilies)[number];

/** CloudEvents 1.0, structured JSON. `subject` is the pair. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  /** `com.foreshadow.<family>.<what>.v1` */
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: unknown;
}

export interface PairEvent {
  readonly family: EventFamily;
  /** What happened, such as `opened`. */
  readonly what: string;
  readonly pair: PairId;
  readonly atMs: number;
  readonly data: unknown;
}
