// In: the id of a process. Out: proof of how many processes it starts.
// Never: takes an absence for a proof: what was watched with, and that something was seen, is told.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchResult } from './bench.ts';
import { childrenOf } from './process-figures.ts';

const SETTLE_SECONDS = 15;
const WATCH_SECONDS = 12;
const LOOK_EVERY_MS = 20;

/**
 * Watches a process by strace where it is installed, and by looking for children in `/proc` all the
 * same.
 */
export async function countProcessStarts(
  processId: number,
  signal: AbortSignal,
): Promise<BenchResult> {
  await sleep(SETTLE_SECONDS * 1_000, undefined, { signal });
  const [traced, seen] = await Promise.all([
    traceStarts(processId),
    lookForChildren(processId, signal),
  ]);
  const how =
    traced === undefined
      ? `in /proc every ${LOOK_EVERY_MS} ms; strace is not installed or not allowed`
      : `by strace, among ${traced.fileCallCount} file system calls, and in /proc`;
  const value = (traced?.startCount ?? 0) + seen.length;
  return {
    id: 'perf.A4',
    measure: `processes started in ${WATCH_SECONDS} s of sampling and rescanning every second, seen ${how}`,
    value,
    unit: 'processes',
    target: '<= 0',
    holds: value === 0,
    n: 1,
  };
}

async function lookForChildren(processId: number, signal: AbortSignal): Promise<readonly number[]> {
  const seen = new Set<number>();
  const endMs = performance.now() + WATCH_SECONDS * 1_000;
  while (performance.now() < endMs) {
    for (const child of childrenOf(processId)) seen.add(child);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return [...seen];
}

/** @returns undefined when it cannot be traced */
async function traceStarts(
  processId: number,
): Promise<{ readonly startCount: number; readonly fileCallCount: number } | undefined> {
  if (spawnSync('strace', ['--version']).status !== 0) return undefined;
  await using folder = await mkdtempDisposable(join(tmpdir(), 'foreshadow-strace-'));
  const path = join(folder.path, 'calls');
  const words = ['-f', '-p', String(processId), '-e', 'trace=%process,%file', '-o', path];
  const child = spawn('strace', words, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await Promise.race([sleep(WATCH_SECONDS * 1_000), ended]);
  if (child.exitCode !== null) return undefined; // It may not attach here.
  child.kill('SIGINT'); // It detaches, and the agent goes on.
  await ended;
  const calls = (await readFile(path, 'utf8')).split('\n');
  return {
    startCount: calls.filter(isStart).length,
    fileCallCount: calls.filter((call) => /^\d+\s+(?:\w*stat\w*|open\w*)\(/.test(call)).length,
  };
}

/** A thread of the same process is no start. */
function isStart(call: string): boolean {
  return /\b(?:fork|vfork|clone3?|execveat|execve)\(/.test(call) && !call.includes('CLONE_THREAD');
}
