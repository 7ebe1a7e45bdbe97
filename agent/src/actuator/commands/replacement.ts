// In: a file, the digest that it must have and the digest to write. Out: the file replaced as a
// whole, or as it was.
// Never: writes into the live file, follows a link, or leaves a temporary behind.
//
//   prepare: keep what is there → same-folder temporary → attributes of the live file → fsync   (a
//   dry run ends here)
//   apply:   compare again → rename → fsync of the folder → read back

import { execFileSync } from 'node:child_process';
import { fstatSync, futimesSync, renameSync, rmSync } from 'node:fs';
import type { CommandId, Outcome } from '@foreshadow/model';
import { createFile, sync, TEMPORARY_PREFIX, writeAll, type Held } from '../durable.ts';
import {
  openFile,
  openFolder,
  refuseChanged,
  refuseImmutable,
  splitPath,
  within,
  type HeldFile,
} from '../held-file.ts';
import type { HostPolicy } from '../host-policy.ts';
import type { LedgerEntry, Transaction } from '../ledger.ts';
import { fail, FatalError, isRefusal, refuse, type Failure, type Refusal } from '../refusal.ts';
import type { CommandContext } from './command.ts';

export const ATTRIBUTES_TIMEOUT_MS = 5_000;

/** @returns why the policy lets nothing be replaced */
export function refuseDisabled(policy: HostPolicy): Refusal | undefined {
  return policy.restore.enabled
    ? undefined
    : refuse(
        'RESTORE_DISABLED',
        `this ${policy.role} host's policy does not allow a restore; set restore.enabled there to allow it`,
      );
}

/** Opens the live file if it is the one that the plan replaces. */
export function openExpected(plan: Transaction, context: CommandContext): HeldFile | Refusal {
  const file = openFile(plan.path, context.policy.restore);
  if (isRefusal(file)) return file;
  const refusal = refuseImmutable(file) ?? refuseContent(context.digestOf(file.content), plan);
  if (refusal === undefined) return file;
  file[Symbol.dispose]();
  return refusal;
}

function refuseContent(digest: string, plan: Transaction): Refusal | undefined {
  const { item, replacedDigest, writtenDigest, undoes } = plan;
  if (undoes !== undefined) {
    return digest === replacedDigest
      ? undefined
      : refuse('CHANGED_SINCE', `${item} was changed after ${undoes}; it is left as it is`);
  }
  if (digest === writtenDigest)
    return refuse('ALREADY_THERE', `${item} already has the content ${writtenDigest}`);
  if (digest === replacedDigest) return undefined;
  return refuse(
    'LIVE_DIGEST_MISMATCH',
    `${item} has the content ${digest}, not the expected ${replacedDigest}; look at it and decide again`,
  );
}

/** Carries the plan out. Errors before the rename leave the file as it was. */
export function replaceContent(plan: Transaction, context: CommandContext): Outcome {
  const opened = openExpected(plan, context);
  if (isRefusal(opened)) return opened;
  using file = opened;
  const content = context.versions.read(plan.writtenDigest);
  if (content === undefined) {
    return refuse(
      'VERSION_DAMAGED',
      `the kept content ${plan.writtenDigest} of ${plan.item} is missing or damaged on this host`,
    );
  }
  keepReplaced(file, plan, context);
  const temporary = temporaryOf(file.folder, context.command);
  using staged = createFile(temporary);
  try {
    writeAll(staged.descriptor, content);
    const outcome =
      cloneAttributes(file, staged, context.nowMs()) ?? finish({ file, temporary, plan, context });
    rmSync(temporary, { force: true });
    return outcome;
  } catch (error) {
    if (!(error instanceof FatalError)) rmSync(temporary, { force: true });
    throw error;
  }
}

function keepReplaced(file: HeldFile, plan: Transaction, context: CommandContext): void {
  const { stats } = file;
  const digest = context.versions.write(file.content);
  context.versions.keep([{ item: plan.item, digest, stats, atMs: context.nowMs(), isGood: false }]);
}

/**
 * Owner, mode, ACL, extended attributes and label; Node has no calls for the last three, coreutils
 * has. The time of change is
 * that of the change, so that nobody who looks at times misses it.
 */
function cloneAttributes(file: HeldFile, staged: Held, nowMs: number): Failure | undefined {
  try {
    execFileSync('/bin/cp', CP_ARGUMENTS, {
      stdio: ['ignore', 'ignore', 'pipe', file.descriptor, staged.descriptor],
      env: { LC_ALL: 'C' },
      timeout: ATTRIBUTES_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : 'no reason given';
    return fail('ATTRIBUTES_NOT_KEPT', `${file.path} is as it was: ${reason}`);
  }
  futimesSync(staged.descriptor, nowMs / 1000, nowMs / 1000);
  sync(staged.descriptor);
  const { mode, uid, gid } = fstatSync(staged.descriptor);
  return mode === file.stats.mode && uid === file.stats.uid && gid === file.stats.gid
    ? undefined
    : fail(
        'ATTRIBUTES_NOT_KEPT',
        `${file.path} is as it was: its owner or mode cannot be given on`,
      );
}

// The last `xattr` makes a lost extended attribute an error, which `all` alone forgives.
// Descriptors 3 and 4: see stdio.
const CP_ARGUMENTS = [
  '--attributes-only',
  '--preserve=all,xattr',
  '--dereference',
  '--',
  '/proc/self/fd/3',
  '/proc/self/fd/4',
];

interface Staged {
  readonly file: HeldFile;
  readonly temporary: string;
  readonly plan: Transaction;
  readonly context: CommandContext;
}

function finish({ file, temporary, plan, context }: Staged): Outcome {
  context.record('PREPARED');
  if (context.isDryRun) return done(plan, { verb: 'would get', tookMs: context.tookMs() });
  const late = context.refuseLate();
  if (late !== undefined) return late;
  context.record('APPLYING');
  const changed = refuseChanged(file);
  if (changed !== undefined) return changed;
  renameSync(temporary, within(file.folder, file.name));
  return settle(file, plan, context);
}

/**
 * After the rename: an error now leaves the disk in doubt, so the process ends and the next start
 * finds out.
 */
function settle(file: HeldFile, plan: Transaction, context: CommandContext): Outcome {
  try {
    sync(file.folder.descriptor);
    const opened = openFile(file.path, context.policy.restore);
    if (isRefusal(opened)) return fail('CHANGED_AFTERWARDS', afterwards(plan, opened.sentence));
    using written = opened;
    const digest = context.digestOf(written.content);
    return digest === plan.writtenDigest
      ? done(plan, { verb: 'has', tookMs: context.tookMs() })
      : fail('CHANGED_AFTERWARDS', afterwards(plan, `it has the content ${digest}`));
  } catch (cause) {
    throw new FatalError('CHANGE_UNCERTAIN', `${file.path} was replaced, but not confirmed`, {
      cause,
    });
  }
}

function afterwards(plan: Transaction, state: string): string {
  return `${plan.item} was replaced, and changed by somebody else at once: ${state}`;
}

function done(plan: Transaction, how: { readonly verb: string; readonly tookMs: number }): Outcome {
  const { item, path, replacedDigest, writtenDigest } = plan;
  return {
    kind: 'done',
    tookMs: how.tookMs,
    sentence: `${item} ${how.verb} the content ${writtenDigest} instead of ${replacedDigest}`,
    details: { item, path, replacedDigest, writtenDigest },
  };
}

/** Name of the temporary of a command, so that the next start finds it after a crash. */
function temporaryOf(folder: Held, command: CommandId): string {
  return within(folder, TEMPORARY_PREFIX + command);
}

/**
 * Finds out what became of a replacement which a crash interrupted, and clears up after it.
 *
 * @returns its outcome. @throws the system's error while the file cannot be examined: then the
 * command stays open
 */
export function resolveReplacement(
  entry: LedgerEntry,
  plan: Transaction,
  context: CommandContext,
): Outcome {
  const opened = openFolder(splitPath(plan.path).folderPath);
  if (isRefusal(opened)) return interrupted(plan, opened.sentence);
  using folder = opened;
  rmSync(temporaryOf(folder, entry.command), { force: true });
  if (entry.state !== 'APPLYING') return interrupted(plan, 'nothing was changed');
  const live = openFile(plan.path, context.policy.restore);
  if (isRefusal(live)) return interrupted(plan, live.sentence);
  using file = live;
  const digest = context.digestOf(file.content);
  if (digest !== plan.writtenDigest) return interrupted(plan, `it has the content ${digest}`);
  sync(folder.descriptor);
  return done(plan, { verb: 'has', tookMs: context.tookMs() });
}

function interrupted(plan: Transaction, state: string): Failure {
  return fail('INTERRUPTED', `the change of ${plan.item} was interrupted: ${state}`);
}
