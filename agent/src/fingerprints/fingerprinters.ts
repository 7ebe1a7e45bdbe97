// In: configuration. Out: the fingerprinters that it asks for. This list is the documentation of
// what is fingerprinted.
// Never: opens anything; openFingerprints does.

import {
  defaultFileRoots,
  kernelParameterPatterns,
  volatileFiles,
  volatileParameters,
  type FileRoot,
} from '@foreshadow/configuration';
import type { FingerprintSubject, HostEvent } from '@foreshadow/model';
import { fingerprintSubjects } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { createFilesFingerprinter } from './files.ts';
import type { Fingerprinter } from './fingerprinter.ts';
import { createKernelParametersFingerprinter } from './kernel-parameters.ts';
import { createPackagesFingerprinter } from './packages.ts';
import { createServicesFingerprinter } from './services.ts';

/** Each list replaces its default whole, so that what holds can be read in one place. */
export interface FingerprintersOptions {
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Told when a bound was reached: `fingerprint-files-cut`, `fingerprint-watches-exhausted`. */
  readonly onEvent: (event: HostEvent) => void;
  readonly subjects?: readonly FingerprintSubject[];
  readonly roots?: readonly FileRoot[];
  readonly exclude?: readonly string[];
  readonly crossesFilesystems?: boolean;
  readonly parameters?: readonly string[];
  readonly excludeParameters?: readonly string[];
  /** Put before the paths of dpkg, systemd and the kernel. */
  readonly systemRoot?: string;
}

export function createFingerprinters(options: FingerprintersOptions): readonly Fingerprinter[] {
  const { key, clock, onEvent, systemRoot = '' } = options;
  const known = [
    createFilesFingerprinter({
      key,
      clock,
      onEvent,
      roots: options.roots ?? defaultFileRoots,
      exclude: options.exclude ?? volatileFiles.map(({ pattern }) => pattern),
      crossesFilesystems: options.crossesFilesystems ?? false,
    }),
    createPackagesFingerprinter({ key, statusFile: `${systemRoot}/var/lib/dpkg/status` }),
    createServicesFingerprinter({ key, root: systemRoot }),
    createKernelParametersFingerprinter({
      key,
      root: `${systemRoot}/proc/sys`,
      include: options.parameters ?? kernelParameterPatterns,
      exclude: options.excludeParameters ?? volatileParameters.map(({ pattern }) => pattern),
    }),
  ];
  const subjects = options.subjects ?? fingerprintSubjects;
  return known.filter(({ subject }) => subjects.includes(subject));
}
