// In: every fingerprinter of an agent, over two equal hosts made of files. Out: proof that each
// keeps the contract of agent/src/fingerprints/fingerprinter.ts.
// Never: looks at the machine that tests run on.

import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  createFingerprinters,
  type Finding,
  type Fingerprinter,
} from '@foreshadow/agent/fingerprints/index.ts';
import { compareInventories, createExpectedRules } from '@foreshadow/configuration';
import { fingerprintSubjects, itemKey, pairIdOf, type TrackedItem } from '@foreshadow/model';
import type { FingerprintSubject, HostId } from '@foreshadow/model';
import { systemClock } from '@foreshadow/runtime';

const key = Buffer.alloc(32, 1);
const SECRET = 'hunter2-never-leaves-the-host';
const signal = new AbortController().signal;
const FACTS_MAX = 8;
const FACT_LENGTH_MAX = 256;

/** What each subject reads, and an edit of it that matters. */
const edits: Readonly<Record<FingerprintSubject, readonly [path: string, edited: string]>> = {
  file: ['etc/shop/service.json', `{"password":"${SECRET}","workers":9}`],
  package: ['var/lib/dpkg/status', statusOf('2.0')],
  service: ['etc/systemd/system/shop.service', `[Service]\nEnvironment=KEY=${SECRET}\n#\n`],
  'kernel-parameter': ['proc/sys/vm/swappiness', '10\n'],
};

test('there is one fingerprinter for each subject, and only those asked for are made', async () => {
  await using host = await openHost();
  const all = host.fingerprinters();
  assert.deepEqual(
    all.map(({ subject }) => subject),
    [...fingerprintSubjects],
  );
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  assert.deepEqual(host.fingerprinters({ subjects: [] }), []);
});

for (const subject of fingerprintSubjects) {
  test(`${subject}: findings are named once, bounded, and hold no content`, async () => {
    await using host = await openHost();
    const findings = await one(host, subject).read('rehash', signal);
    assert.notEqual(findings.length, 0);
    assert.equal(new Set(findings.map(nameOf)).size, findings.length);
    for (const finding of findings) {
      assert.equal(subjectOf(finding), subject);
      if (finding.kind !== 'present') continue;
      const facts = Object.entries(finding.item.facts);
      assert.match(finding.item.digest, /^[0-9a-f]{32}$/);
      assert.equal(facts.length <= FACTS_MAX, true);
      for (const [, value] of facts) assert.equal(value.length <= FACT_LENGTH_MAX, true);
    }
    assert.equal(JSON.stringify(findings).includes(SECRET), false);
  });

  test(`${subject}: an answer does not depend on how much work it rests on`, async () => {
    await using host = await openHost();
    const fingerprinter = one(host, subject);
    const first = await fingerprinter.read('rehash', signal);
    for (const effort of ['rescan', 'noticed', 'rehash'] as const)
      assert.deepEqual(await fingerprinter.read(effort, signal), first, effort);
  });

  test(`${subject}: equal hosts have equal digests, under one key only`, async () => {
    await using left = await openHost();
    await using right = await openHost();
    const production = await inventory(one(left, subject));
    const compare = (shadow: ReadonlyMap<string, TrackedItem>): readonly unknown[] =>
      compareInventories({
        // Literals of the right form.
        pair: pairIdOf('web-1' as HostId, 'web-2' as HostId),
        production,
        shadow,
        expected: createExpectedRules([]),
        nowMs: 0,
      }).drifts;
    assert.deepEqual(compare(await inventory(one(right, subject))), []);
    const foreign = await inventory(one(right, subject, Buffer.alloc(32, 2)));
    assert.equal(compare(foreign).length, production.size);
  });

  test(`${subject}: an edit changes one finding`, async () => {
    await using host = await openHost();
    const fingerprinter = one(host, subject);
    const before = await fingerprinter.read('rehash', signal);
    await host.write(...edits[subject]);
    const after = await fingerprinter.read('rescan', signal);
    assert.notEqual(after, before);
    const known = new Set(before.map((finding) => JSON.stringify(finding)));
    const fresh = after.filter((finding) => !known.has(JSON.stringify(finding)));
    assert.equal(fresh.length, 1);
  });

  test(`${subject}: a read that is aborted ends with an error`, async () => {
    await using host = await openHost();
    await assert.rejects(one(host, subject).read('rehash', AbortSignal.abort(new Error('enough'))));
  });

  test(`${subject}: a host without it is empty or a failure, and never hangs`, async () => {
    await using host = await openHost();
    await rm(host.path, { recursive: true });
    const findings = await one(host, subject)
      .read('rehash', signal)
      .catch(() => []);
    assert.deepEqual(findings, []);
  });
}

interface Host extends AsyncDisposable {
  readonly path: string;
  write(path: string, text: string): Promise<void>;
  fingerprinters(options?: {
    readonly key?: Uint8Array;
    readonly subjects?: readonly FingerprintSubject[];
  }): readonly Fingerprinter[];
}

async function openHost(): Promise<Host> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'host-'));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text, { mode: 0o644 });
  };
  await write('etc/shop/service.json', `{"password":"${SECRET}","workers":4}`);
  await symlink('service.json', join(folder.path, 'etc/shop/current'));
  await write('var/lib/dpkg/status', statusOf('1.0'));
  await write('etc/systemd/system/shop.service', `[Service]\nEnvironment=KEY=${SECRET}\n`);
  await write('proc/sys/vm/swappiness', '60\n');
  return {
    path: folder.path,
    write,
    fingerprinters: (options = {}) =>
      createFingerprinters({
        key,
        clock: systemClock,
        onEvent: () => assert.fail('no bound is reached'),
        roots: [{ path: join(folder.path, 'etc/shop'), as: '/etc/shop' }],
        systemRoot: folder.path,
        ...options,
      }),
    [Symbol.asyncDispose]: async () => rm(folder.path, { recursive: true, force: true }),
  };
}

function one(host: Host, subject: FingerprintSubject, withKey: Uint8Array = key): Fingerprinter {
  const [fingerprinter] = host.fingerprinters({ key: withKey, subjects: [subject] });
  assert(fingerprinter !== undefined);
  return fingerprinter;
}

async function inventory(fingerprinter: Fingerprinter): Promise<ReadonlyMap<string, TrackedItem>> {
  const findings = await fingerprinter.read('rehash', signal);
  return new Map(
    findings.map((finding) => {
      const tracked = itemKey(subjectOf(finding), nameOf(finding));
      const item = finding.kind === 'present' ? { item: finding.item } : {};
      return [tracked, { key: tracked, firstSeenMs: 1, changedMs: 1, ...item }];
    }),
  );
}

function nameOf(finding: Finding): string {
  return finding.kind === 'present' ? finding.item.name : finding.name;
}

function subjectOf(finding: Finding): FingerprintSubject {
  return finding.kind === 'present' ? finding.item.subject : finding.subject;
}

function statusOf(version: string): string {
  const paragraph = (name: string, of: string): string =>
    `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${of}\n`;
  return `${paragraph('shop', version)}\n${paragraph('libc6', '2.36')}`;
}
