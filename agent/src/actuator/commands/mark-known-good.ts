// In: the host's allowed paths. Out: the present content of each regular file there, kept and
// marked as known-good.
// Never: marks a part; the index takes all of a mark or nothing.

import type { MarkKnownGoodOrder, Outcome } from '@foreshadow/model';
import { listFiles, openFile } from '../held-file.ts';
import { itemOf, type RestorePath } from '../host-policy.ts';
import { isRefusal, refuse, type Refusal } from '../refusal.ts';
import type { Keep } from '../versions.ts';
import type { ActuatorCommand, CommandContext } from './command.ts';

export const VERSION_FILES_MAX = 1_000;
const NAMES_SHOWN_MAX = 20;
const NAMES_LENGTH_MAX = 4_000;

export const markKnownGood: ActuatorCommand<MarkKnownGoodOrder, undefined> = {
  name: 'mark-known-good',
  check: (_order, context) => {
    const files = listAllowed(context.policy.restore.paths);
    return isRefusal(files) ? files : undefined;
  },
  run: (_plan, context) => {
    const files = listAllowed(context.policy.restore.paths);
    if (isRefusal(files)) return files;
    if (!context.isDryRun) context.record('APPLYING');
    const kept: Keep[] = [];
    const skipped: string[] = [];
    for (const file of files) {
      const late = context.refuseLate();
      if (late !== undefined) return late;
      const version = keepFile(file, context);
      if (isRefusal(version)) skipped.push(`${file.item} (${version.code})`);
      else kept.push(version);
    }
    if (kept.length === 0) {
      return refuse(
        'NOTHING_TO_KEEP',
        `no file can be kept: ${shorten(skipped) || 'none is there'}`,
      );
    }
    if (!context.isDryRun) context.versions.keep(kept, context.command);
    return describe(kept, skipped, context);
  },
};

interface AllowedFile {
  readonly item: string;
  readonly path: string;
}

function listAllowed(paths: readonly RestorePath[]): readonly AllowedFile[] | Refusal {
  if (paths.length === 0) {
    return refuse('NOTHING_ALLOWED', `the host's policy names no path; add some to restore.paths`);
  }
  const files: AllowedFile[] = [];
  for (const entry of paths) {
    const found = listFiles(entry.path);
    if (isRefusal(found)) return found;
    for (const path of found) files.push({ item: itemOf(entry, path), path });
  }
  return files.length <= VERSION_FILES_MAX
    ? files
    : refuse(
        'TOO_MANY_FILES',
        `${files.length} files are under restore.paths, more than ${VERSION_FILES_MAX}; name fewer`,
      );
}

/**
 * Writes the content now, so that memory holds one file at a time; it counts when the whole mark is
 * entered.
 */
function keepFile(allowed: AllowedFile, context: CommandContext): Keep | Refusal {
  const opened = openFile(allowed.path, context.policy.restore);
  if (isRefusal(opened)) return opened;
  using file = opened;
  const digest = context.isDryRun
    ? context.digestOf(file.content)
    : context.versions.write(file.content);
  const { stats } = file;
  return { item: allowed.item, digest, stats, atMs: context.nowMs(), isGood: true };
}

function describe(
  kept: readonly Keep[],
  skipped: readonly string[],
  context: CommandContext,
): Outcome {
  const verb = context.isDryRun ? 'would be' : 'are';
  return {
    kind: 'done',
    tookMs: context.tookMs(),
    sentence: `${kept.length} files ${verb} kept and marked as known-good, ${skipped.length} were left out`,
    details: {
      count: String(kept.length),
      items: shorten(kept.map(({ item }) => item)),
      skippedCount: String(skipped.length),
      skipped: shorten(skipped),
    },
  };
}

function shorten(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN_MAX;
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(', ').slice(0, NAMES_LENGTH_MAX);
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
