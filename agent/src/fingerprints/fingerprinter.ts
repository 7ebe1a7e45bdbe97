// In: nothing. Out: the contract of every fingerprinter.
// Never: knows when it runs; the host loop in fingerprints.ts does.

import type { FingerprintChange, FingerprintSubject } from '@foreshadow/model';

/** What is so now. That something is gone follows from its absence in the next complete answer. */
export type Finding = Exclude<FingerprintChange, { readonly kind: 'removed' }>;

/**
 * How much work an answer may rest on. `noticed`: look only where a watch has seen something.
 * `rescan`: look everywhere, and
 * read only what looks changed. `rehash`: read everything, so that what hid from the file system's
 * stamps is found too.
 */
export type Effort = 'noticed' | 'rescan' | 'rehash';

/** Takes the fingerprint of one subject of configuration. */
export interface Fingerprinter {
  /** File name, configuration key and unit name are this same word. */
  readonly name: string;
  readonly subject: FingerprintSubject;
  /**
   * @returns all that is known, each name once; the very same array when nothing changed since the
   * last answer
   * @throws when the subject as a whole could not be read; what was known before then stands
   *
   * Is never called again before it has ended. Ends soon after `signal` aborts, with an error.
   */
  read(effort: Effort, signal: AbortSignal): Promise<readonly Finding[]>;
  /**
   * Calls `onNotice` when something may have changed, if the fingerprinter can know. Called once,
   * before the first read.
   */
  watch?(onNotice: () => void): void;
  /** Lets go of what `watch` and `read` hold. */
  close?(): void;
}

/** Whether two findings say the same; hints such as the time of change do not count. */
export function isSameFinding(left: Finding, right: Finding): boolean {
  if (left.kind === 'present')
    return right.kind === 'present' && left.item.digest === right.item.digest;
  return right.kind === 'unreadable' && left.reason === right.reason;
}

export function nameOf(finding: Finding): string {
  return finding.kind === 'present' ? finding.item.name : finding.name;
}
