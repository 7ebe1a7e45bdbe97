// In: nothing. Out: what a fingerprint of configuration is, and how its changes are told.
// Never: contains content of a file, or a plain hash of it: digests are keyed.

export const fingerprintSubjects = ['file', 'package', 'service', 'kernel-parameter'] as const;
export type FingerprintSubject = (typeof fingerprintSubjects)[number];

/** `<subject>:<name>`, such as `file:/etc/shop/service.json`; the same on both hosts of a pair. */
export type ItemKey = string;

/** One configured thing of a host. */
export interface FingerprintItem {
  readonly subject: FingerprintSubject;
  /** Logical name, equal on comparable hosts: a path, a package, a unit, a parameter. */
  readonly name: string;
  /**
   * HMAC-SHA256 of content and attributes under the fleet's fingerprint key, first 16 bytes, 32
   * hexadecimal digits.
   */
  readonly digest: string;
  /**
   * What a person may read without learning content: version, mode, owner, state. At most 8 short
   * values.
   */
  readonly facts: Readonly<Record<string, string>>;
  /**
   * `mtime` and the like are hints and are not part of the digest. Epoch ms; absent where the
   * subject has none.
   */
  readonly modifiedAtMs?: number;
}

/**
 * Why an item could not be fingerprinted. It is reported, so that a blind spot is never mistaken
 * for sameness.
 */
export type UnreadableReason = 'permission' | 'too-large' | 'not-a-file' | 'vanished' | 'io-error';

export type FingerprintChange =
  | { readonly kind: 'present'; readonly item: FingerprintItem }
  | { readonly kind: 'removed'; readonly subject: FingerprintSubject; readonly name: string }
  | {
      readonly kind: 'unreadable';
      readonly subject: FingerprintSubject;
      readonly name: string;
      readonly reason: UnreadableReason;
    };

/**
 * A group of changes. `snapshot` replaces everything known of the host and arrives in parts;
 * `changes` adds to it. A receiver applies a snapshot when it holds all `partCount` parts of one
 * `snapshotId`.
 */
export interface FingerprintReport {
  readonly mode: 'snapshot' | 'changes';
  readonly snapshotId: number;
  readonly partIndex: number;
  readonly partCount: number;
  readonly changes: readonly FingerprintChange[];
}

export function itemKey(subject: FingerprintSubject, name: string): ItemKey {
  return `${subject}:${name}`;
}

/** @returns undefined when `key` does not begin with a known subject. */
export function parseItemKey(
  key: string,
): { subject: FingerprintSubject; name: string } | undefined {
  const colon = key.indexOf(':');
  const subject = fingerprintSubjects.find((known) => known === key.slice(0, colon));
  return subject === undefined || colon + 1 === key.length
    ? undefined
    : { subject, name: key.slice(colon + 1) };
}

/**
 * What the controller keeps of one item of one host. Times are epoch ms of the controller's clock.
 */
export interface TrackedItem {
  readonly key: ItemKey;
  /** Absent while the host does not have the item (removed) or cannot read it. */
  readonly item?: FingerprintItem;
  readonly unreadable?: UnreadableReason;
  readonly firstSeenMs: number;
  /**
   * When the digest, presence or readability last changed; equal to `firstSeenMs` when it never
   * did.
   */
  readonly changedMs: number;
  /** Digest before the last change; absent when it never changed or was absent before. */
  readonly previousDigest?: string;
}
