// In: `/proc/self/mounts` and `statfs` of each mount point. Out: how full each local file system
// is.
// Never: reports inodes of a file system that makes them as it needs them (btrfs says 0 of 0).

import type { FilesystemFacts } from '@foreshadow/model';
import { requireWithinBound, type Collector, type Report } from './collector.ts';
import { parseMounts, type Mount } from './mounts.ts';

/**
 * File systems measured; beyond it the rest is left out and the collector fails with
 * INSTANCES_OVER_BOUND.
 */
export const FILESYSTEMS_MAX = 64;

// The list of mounts seldom changes: it is parsed again only when its bytes did. A cache of one,
// keyed by content.
let parsed: { readonly content: Uint8Array; readonly mounts: readonly Mount[] } | undefined;

export const filesystem: Collector = {
  name: 'filesystem',
  metrics: [
    'filesystem_size_bytes',
    'filesystem_used_bytes',
    'filesystem_available_bytes',
    'filesystem_files',
    'filesystem_files_free',
  ],
  collect(host, report, signal) {
    const content = host.readBytes('/proc/self/mounts');
    if (content === undefined) return undefined;
    const mounts = parsedOnce(content);
    const late: Promise<void>[] = [];
    for (const { path, type } of mounts.slice(0, FILESYSTEMS_MAX)) {
      const facts = host.statFilesystem(path, type);
      if (facts instanceof Promise) late.push(reportLater({ report, path, facts }, signal));
      else if (facts !== undefined) reportFacts(report, path, facts);
    }
    if (late.length > 0) return allWithinBound(late, mounts.length);
    return requireWithinBound('file systems', mounts.length, FILESYSTEMS_MAX);
  },
};

interface LateFacts {
  readonly report: Report;
  readonly path: string;
  readonly facts: Promise<FilesystemFacts | undefined>;
}

async function reportLater({ report, path, facts }: LateFacts, signal: AbortSignal): Promise<void> {
  const known = await facts;
  if (known !== undefined && !signal.aborted) reportFacts(report, path, known);
}

async function allWithinBound(late: readonly Promise<void>[], count: number): Promise<void> {
  await Promise.all(late);
  requireWithinBound('file systems', count, FILESYSTEMS_MAX);
}

function parsedOnce(content: Uint8Array): readonly Mount[] {
  if (parsed === undefined || Buffer.compare(parsed.content, content) !== 0)
    parsed = { content: new Uint8Array(content), mounts: parseMounts(content) };
  return parsed.mounts;
}

function reportFacts(report: Report, mountPoint: string, facts: FilesystemFacts): void {
  if (facts.sizeBytes > 0) {
    report('filesystem_size_bytes', facts.sizeBytes, mountPoint);
    report('filesystem_used_bytes', facts.sizeBytes - facts.freeBytes, mountPoint);
    report('filesystem_available_bytes', facts.availableBytes, mountPoint);
  }
  if (facts.filesCount > 0) {
    report('filesystem_files', facts.filesCount, mountPoint);
    report('filesystem_files_free', facts.filesFreeCount, mountPoint);
  }
}
