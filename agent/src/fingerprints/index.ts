// In: folders, dpkg's status, unit files, /proc/sys. Out: fingerprint reports: a snapshot at the
// start, then what changed.
// Never: sends or keeps content, starts a process, or takes what it cannot see for what is not
// there.

export {
  READ_LIMIT_MS,
  REHASH_MS,
  RESCAN_MS,
  SNAPSHOT_GAP_MS,
  openFingerprints,
  type Fingerprints,
  type FingerprintsOptions,
} from './fingerprints.ts';
export { createFingerprinters, type FingerprintersOptions } from './fingerprinters.ts';
export type { Effort, Finding, Fingerprinter } from './fingerprinter.ts';
