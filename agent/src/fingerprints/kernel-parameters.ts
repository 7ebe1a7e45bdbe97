// In: the tree below /proc/sys. Out: a finding for each parameter that is configured rather than
// counted.
// Never: reads a trigger, which has no read permission, or what an exclusion names.

import { lstatSync, readFileSync, type Dirent, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { itemDigest } from '@foreshadow/configuration';
import type { Finding, Fingerprinter } from './fingerprinter.ts';
import { FACT_LENGTH_MAX } from './file-finding.ts';
import { createMatcher } from './globs.ts';
import { reasonOf } from './reading.ts';

/** A Linux 6 host has about 1,300 below the default patterns. */
export const PARAMETERS_MAX = 8_192;

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
  return {
    name: 'kernel-parameters',
    subject: 'kernel-parameter',
    read: async (_, signal) => {
      const findings: Finding[] = [];
      const folders = [''];
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        signal.throwIfAborted();
        for (const entry of await list(root, folder)) {
          const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
          if (isExcluded(path)) continue;
          if (entry.isDirectory()) folders.push(path);
          else if (isIncluded(path) && findings.length < PARAMETERS_MAX) {
            const finding = readParameter(options.key, root, path);
            if (finding !== undefined) findings.push(finding);
          }
        }
      }
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

async function list(root: string, folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(`${root}/${folder}`, { withFileTypes: true });
  } catch (error) {
    // A folder of an interface that went away; the root itself must be there.
    if (folder !== '' && reasonOf(error) === 'vanished') return [];
    throw error;
  }
}

/**
 * Synchronous on purpose: procfs answers from memory, and a thousand promises would cost five times
 * as much.
 * @returns undefined where there is nothing to read
 */
function readParameter(key: Uint8Array, root: string, path: string): Finding | undefined {
  const name = parameterName(path);
  try {
    const stat = lstatSync(`${root}/${path}`);
    if (!isReadableFile(stat)) return undefined;
    const value = readFileSync(`${root}/${path}`, 'utf8').trim().replaceAll(/\s+/g, ' ');
    return {
      kind: 'present',
      item: {
        subject: 'kernel-parameter',
        name,
        digest: itemDigest(key, ['kernel-parameter', name, value]),
        facts: { value: value.slice(0, FACT_LENGTH_MAX) },
      },
    };
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === 'vanished') return undefined;
    return { kind: 'unreadable', subject: 'kernel-parameter', name, reason };
  }
}

function isReadableFile(stat: Stats): boolean {
  return stat.isFile() && (stat.mode & 0o444) !== 0;
}
