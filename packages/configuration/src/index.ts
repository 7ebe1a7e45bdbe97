// In: items of configuration, as bytes and strings. Out: keyed digests, and how two hosts'
// inventories differ.
// Never: does I/O, reads a clock, or holds content: what leaves this package cannot be turned back
// into a file.

export {
  DIGEST_BYTES,
  KEY_BYTES_MIN,
  createContentDigest,
  fileContentDigest,
  fileItemDigest,
  itemDigest,
  type ContentDigest,
  type FileAttributes,
} from './digest.ts';
export {
  DRIFTS_PER_PAIR_MAX,
  compareInventories,
  type Comparison,
  type ComparisonInput,
  type ExpectedDifference,
  type UnreadableItem,
} from './compare.ts';
export {
  createExpectedRules,
  identityRules,
  type ExpectedRules,
  type IdentityRule,
} from './expected.ts';
export {
  EVERYTHING,
  defaultFileRoots,
  kernelParameterPatterns,
  volatileFiles,
  volatileParameters,
  type Exclusion,
  type FileRoot,
} from './exclusions.ts';
