// In: a real folder that is watched, and what people and programs do to it. Out: proof that each
// change is reported, and how soon.
// Never: sleeps; each wait is for a report and has a deadline.

import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileContentDigest } from '@foreshadow/configuration';
import type { FingerprintReport } from '@foreshadow/model';
import { systemClock } from '@foreshadow/runtime';
import { createFilesFingerprinter } from './files.ts';
import { openFingerprints } from './fingerprints.ts';

const key = Buffer.alloc(32, 1);
const DEADLINE_MS = 5_000; // What the design promises for watched files.

test('edits of a watched file are reported, soon', async (t) => {
  await using run = await openRun();
  const path = join(run.path, 'service.json');
  const latencies: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const startMs = systemClock.monotonicMs();
    await writeFile(path, `{ "workers": ${round} }`);
    await run.content('/etc/service.json', `{ "workers": ${round} }`);
    latencies.push(systemClock.monotonicMs() - startMs);
  }
  const sorted = latencies.toSorted((left, right) => left - right);
  t.diagnostic(`edit to report, ms: ${sorted.map((one) => one.toFixed(0)).join(' ')}`);
});

test('an atomic replacement and a rename are reported', async () => {
  await using run = await openRun();
  const path = join(run.path, 'service.json');
  await writeFile(path, 'one');
  await run.content('/etc/service.json', 'one');
  await writeFile(join(run.path, '.new'), 'two');
  await rename(join(run.path, '.new'), path);
  await run.content('/etc/service.json', 'two');
  await rename(path, join(run.path, 'other.json'));
  await run.content('/etc/other.json', 'two');
  await run.content('/etc/service.json', undefined);
});

test('of rapid edits the last is reported', async () => {
  await using run = await openRun();
  const path = join(run.path, 'a');
  for (let round = 1_000; round < 1_200; round += 1) await writeFile(path, String(round));
  await run.content('/etc/a', '1199');
});

test('a folder that is removed and made again is watched again', async () => {
  await using run = await openRun();
  const folder = join(run.path, 'conf.d');
  for (const text of ['one', 'two', 'three']) {
    await mkdir(join(folder, 'deep'), { recursive: true });
    await writeFile(join(folder, 'deep/a'), 'x');
    await run.content('/etc/conf.d/deep/a', 'x');
    await writeFile(join(folder, 'deep/a'), text);
    await run.content('/etc/conf.d/deep/a', text);
    await rm(folder, { recursive: true });
    await run.content('/etc/conf.d/deep/a', undefined);
  }
});

test('a folder that is moved away and replaced at once is told apart', async () => {
  await using run = await openRun();
  const folder = join(run.path, 'conf.d');
  await mkdir(folder);
  await writeFile(join(folder, 'a'), 'one');
  await run.content('/etc/conf.d/a', 'one');
  await mkdir(join(run.path, 'next'));
  await writeFile(join(run.path, 'next/a'), 'two');
  await rename(folder, join(run.path, 'before'));
  await rename(join(run.path, 'next'), folder);
  await run.content('/etc/conf.d/a', 'two');
  await run.content('/etc/before/a', 'one');
  await writeFile(join(folder, 'a'), 'three');
  await run.content('/etc/conf.d/a', 'three');
});

interface Run extends AsyncDisposable {
  readonly path: string;
  /** Waits until the reports tell that `name` has this content; undefined: that it is not there. */
  content(name: string, text: string | undefined): Promise<void>;
}

/** What a receiver of the reports knows: content digests by name. */
async function openRun(): Promise<Run> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'watching-'));
  const known = new Map<string, string | undefined>();
  const waiting = new Set<() => void>();
  const onReport = (report: FingerprintReport): void => {
    for (const change of report.changes)
      if (change.kind === 'present') known.set(change.item.name, change.item.facts['content']);
      else known.delete(change.name);
    for (const look of waiting) look();
  };
  const files = createFilesFingerprinter({
    key,
    clock: systemClock,
    roots: [{ path: folder.path, as: '/etc' }],
    exclude: [],
    onEvent: () => assert.fail('no bound is reached'),
  });
  const fingerprints = openFingerprints({
    fingerprinters: [files],
    clock: systemClock,
    random: () => 0.5,
    onReport,
    onUnit: () => {},
  });
  return {
    path: folder.path,
    content: async (name, text) => {
      const expected = text === undefined ? undefined : fileContentDigest(key, Buffer.from(text));
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (known.get(name) === expected) resolve();
      };
      waiting.add(look);
      look();
      const waited = new AbortController();
      const deadline = async (): Promise<void> => {
        await systemClock.sleep(DEADLINE_MS, waited.signal);
        assert.fail(`${name} was not reported as ${text ?? 'removed'} within ${DEADLINE_MS} ms`);
      };
      const late = deadline();
      try {
        await Promise.race([promise, late]);
      } finally {
        waiting.delete(look);
        waited.abort(new Error('reported'));
        await late.catch(() => 'The race is over.');
      }
    },
    [Symbol.asyncDispose]: async () => {
      await fingerprints[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}
