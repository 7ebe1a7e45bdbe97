// In: the tree below /proc/sys. Out: a finding for each parameter that is configured rather than
// counted.
// Never: reads a trigger, which has no read permission, or what an exclusion names.

import { lstatSync, readFileSync, readdirSync, type Dirent, type Stats } from 'node:fs';
import { itemDigest } from '@foreshadow/configuration';
import type { Finding, Fingerprinter } from './fingerprinter.ts';
import { FACT_LENGTH_MAX } from './file-finding.ts';
import { createMatcher } from './globs.ts';
import { reasonOf } from './reading.ts';

/** A Linux 6 host has about 1,300 below the default patterns. */
export const PARAMETERS_MAX = 8_192;

/**
 * What was read, and what was made of it, so that a value that did not change costs a read only.
 */
interface Parameter {
  readonly text: string | undefined;
  readonly finding: Finding;
}

export interface KernelParametersOptions {
  readonly key: Uint8Array;
  /** Globs on the path below the root, with slashes. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly root?: string;
}

export function createKernelParametersFingerprinter(
  options: KernelParametersOptions,
): Fingerprinter {
  const root = options.root ?? '/proc/sys';
  const isIncluded = createMatcher(options.include);
  const isExcluded = createMatcher(options.exclude);
  let known: ReadonlyMap<string, Parameter> = new Map();
  let findings: readonly Finding[] = [];
  return {
    name: 'kernel-parameters',
    subject: 'kernel-parameter',
    read: async (effort, signal) => {
      const found = new Map<string, Parameter>();
      const folders = [''];
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        signal.throwIfAborted();
        for (const entry of list(root, folder)) {
          const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
          if (isExcluded(path)) continue;
          if (entry.isDirectory()) folders.push(path);
          else if (isIncluded(path) && found.size < PARAMETERS_MAX) {
            const before = effort === 'rehash' ? undefined : known.get(path);
            const parameter = readParameter(`${root}/${path}`, parameterName(path), {
              key: options.key,
              before,
            });
            if (parameter !== undefined) found.set(path, parameter);
          }
        }
      }
      const isSame =
        found.size === known.size &&
        [...found].every(([path, parameter]) => known.get(path) === parameter);
      known = found;
      if (!isSame) findings = [...found.values()].map(({ finding }) => finding);
      return findings;
    },
  };
}

/**
 * The name that sysctl uses: dots and slashes change places, so that an interface may have a dot.
 */
export function parameterName(path: string): string {
  return path.replaceAll(/[./]/g, (mark) => (mark === '.' ? '/' : '.'));
}

function list(root: string, folder: string): readonly Dirent[] {
  try {
    return readdirSync(`${root}/${folder}`, { withFileTypes: true });
  } catch (error) {
    // A folder of an interface that went away; the root itself must be there.
    if (folder !== '' && reasonOf(error) === 'vanished') return [];
    throw error;
  }
}

/**
 * Synchronous on purpose: procfs answers from memory, and a thousand promises would cost five times
 * as much.
 * @returns `before` itself where the text is the same; undefined where there is nothing to read
 */
function readParameter(
  path: string,
  name: string,
  { key, before }: { readonly key: Uint8Array; readonly before: Parameter | undefined },
): Parameter | undefined {
  try {
    // What was read once is no trigger, and stays a file.
    if (before === undefined && !isReadableFile(lstatSync(path))) return undefined;
    const text = readFileSync(path, 'utf8');
    if (before?.text === text) return before;
    const value = text.trim().replaceAll(/\s+/g, ' ');
    const digest = itemDigest(key, ['kernel-parameter', name, value]);
    const facts = { value: value.slice(0, FACT_LENGTH_MAX) };
    const item = { subject: 'kernel-parameter', name, digest, facts } as const;
    return { text, finding: { kind: 'present', item } };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'vanished') return undefined;
    const finding: Finding = { kind: 'unreadable', subject: 'kernel-parameter', name, reason };
    return { text: undefined, finding };
  }
}

function isReadableFile(stat: Stats): boolean {
  return stat.isFile() && (stat.mode & 0o444) !== 0;
}
