// In: paths under the machine's roots. Out: bytes, names and slow facts; undefined where the
// machine does not say.
// Never: writes to the machine, starts a program while sampling, throws for a missing file, or
// answers zero for it.

export { HOST_DESCRIPTORS_MAX, HOST_FILE_BYTES_MAX, HOST_NAMES_MAX, openHost } from './host.ts';
export type { HostOptions, HostRoots } from './host.ts';
