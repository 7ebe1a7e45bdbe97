import { appendFileSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { CommandId } from '@foreshadow/model';
import { codeOf, digestOf, openLab, type Lab } from './lab.test.ts';
import type { LedgerEntry } from './ledger.ts';

const change = { live: 'workers: 99\n', good: 'workers: 4\n' };
const id = 'cmd-aaaaaaaaaaaa';

function ledgerLines(lab: Lab): readonly LedgerEntry[] {
  const text = readFileSync(join(lab.policy.state, 'ledger.jsonl'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LedgerEntry); // Our own.
}

const codeFatal = (code: string) => ({ name: 'FatalError', code });

test('the ledger tells each step in order, before its effect', () => {
  using lab = openLab();
  lab.drift('a', change);
  const seen: string[] = [];
  lab.afterRecord = ({ state }) => seen.push(`${state} ${lab.read('a').trim()}`);
  lab.restore('a', change, { id });
  assert.deepEqual(seen, [
    'RECEIVED workers: 99',
    'VERIFIED workers: 99',
    'PREPARED workers: 99',
    'APPLYING workers: 99',
    'APPLIED workers: 4',
  ]);
  assert.deepEqual(
    ledgerLines(lab)
      .slice(-5)
      .map(({ state }) => state),
    seen.map((line) => line.split(' ')[0]),
  );
  assert.equal(statSync(join(lab.policy.state, 'ledger.jsonl')).mode & 0o777, 0o600);
});

test('a crash at any edge leaves the file entirely old or entirely new, and resolves', () => {
  for (const state of ['RECEIVED', 'VERIFIED', 'PREPARED', 'APPLYING', 'APPLIED'] as const) {
    using lab = openLab();
    lab.drift('a', change);
    lab.crashAt(state);
    assert.throws(() => lab.restore('a', change, { id }), codeFatal('PLANNED_CRASH'));
    const isNew = state === 'APPLIED';
    assert.equal(lab.read('a'), isNew ? change.good : change.live);
    lab.restart();
    assert.deepEqual(lab.names(), ['a'], 'no temporary is left');
    assert.equal(codeOf(lab.restore('a', change, { id })), isNew ? 'done' : 'INTERRUPTED');
    if (!isNew) assert.equal(lab.restore('a', change).kind, 'done', 'a new command goes through');
  }
});

test('a crash between rename and record is found to be applied, and can be undone', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.crashAt('APPLYING');
  assert.throws(() => lab.restore('a', change, { id }));
  renameSync(lab.path(`.foreshadow-${id}`), lab.path('a'));
  lab.restart();
  assert.equal(lab.restore('a', change, { id }).kind, 'done');
  assert.equal(lab.run({ kind: 'undo', command: id as CommandId }).kind, 'done'); // Well-formed.
  assert.equal(lab.read('a'), change.live);
});

test('an undo that crashes at any edge resolves likewise', () => {
  for (const state of ['PREPARED', 'APPLYING', 'UNDONE'] as const) {
    using lab = openLab();
    lab.drift('a', change);
    lab.restore('a', change, { id });
    const undo = { kind: 'undo', command: id as CommandId } as const; // Well-formed.
    lab.crashAt(state);
    assert.throws(() => lab.run(undo, { id: 'cmd-bbbbbbbbbbbb' }));
    lab.restart();
    const isUndone = state === 'UNDONE';
    assert.equal(lab.read('a'), isUndone ? change.live : change.good);
    assert.equal(codeOf(lab.run(undo)), isUndone ? 'ALREADY_UNDONE' : 'done');
  }
});

test('a file edited or removed after the crash is left as it is', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.crashAt('APPLYING');
  assert.throws(() => lab.restore('a', change, { id }));
  lab.write('a', 'by hand');
  lab.restart();
  assert.equal(codeOf(lab.restore('a', change, { id })), 'INTERRUPTED');
  assert.deepEqual(lab.names(), ['a']);
  assert.equal(lab.read('a'), 'by hand');
});

test('a folder that became a link after the crash is not entered', () => {
  using lab = openLab();
  mkdirSync(lab.path('one'));
  lab.drift('one/a', change);
  lab.crashAt('APPLYING');
  assert.throws(() => lab.restore('one/a', change, { id }));
  renameSync(lab.path('one'), lab.path('moved'));
  symlinkSync(lab.path('moved'), lab.path('one'));
  lab.restart();
  assert.equal(codeOf(lab.restore('one/a', change, { id })), 'INTERRUPTED');
  assert.equal(lab.read('one/a'), change.live);
});

test('while an interrupted command cannot be examined, no other one starts', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.crashAt('APPLYING');
  assert.throws(() => lab.restore('a', change, { id }));
  const temporary = lab.path(`.foreshadow-${id}`);
  renameSync(temporary, lab.path('b'));
  mkdirSync(temporary); // Removing a file there now gives an error of the system.
  lab.restart();
  assert.equal(codeOf(lab.restore('a', change)), 'TRANSACTION_OPEN');
  assert.equal(codeOf(lab.restore('a', change, { id })), 'TRANSACTION_OPEN');
  renameSync(temporary, lab.path('c'));
  assert.equal(lab.restore('a', change).kind, 'done', 'it resolves by itself when it can');
});

test('the same command again gets the same outcome and acts once', () => {
  using lab = openLab();
  lab.drift('a', change);
  const first = lab.restore('a', change, { id });
  lab.write('a', change.live);
  assert.deepEqual(lab.restore('a', change, { id }), first);
  lab.restart();
  assert.deepEqual(lab.restore('a', change, { id }), first);
  assert.equal(lab.read('a'), change.live);
});

test('an id that stood for another order is refused', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.restore('a', change, { id });
  assert.equal(codeOf(lab.run({ kind: 'mark-known-good' }, { id })), 'COMMAND_ID_REUSED');
  assert.equal(codeOf(lab.restore('a', change, { id, isDryRun: true })), 'COMMAND_ID_REUSED');
  assert.equal(codeOf(lab.restore('b', change, { id })), 'COMMAND_ID_REUSED');
});

test('of two restores of one file the second is refused', () => {
  using lab = openLab();
  lab.drift('a', change);
  assert.equal(lab.restore('a', change).kind, 'done');
  assert.equal(codeOf(lab.restore('a', change)), 'ALREADY_THERE');
});

test('a torn last line of the ledger is cut off; a damaged line before it stops the start', () => {
  using lab = openLab();
  lab.drift('a', change);
  const path = join(lab.policy.state, 'ledger.jsonl');
  const whole = readFileSync(path);
  appendFileSync(path, '{"sequence":9,"comm');
  lab.restart();
  assert.deepEqual(readFileSync(path), whole);
  assert.equal(lab.restore('a', change).kind, 'done');
  writeFileSync(path, `{"state":"RECEIVED"}\n${whole.toString()}`);
  assert.throws(() => lab.restart(), codeFatal('LEDGER_DAMAGED'));
});

test('a ledger that somebody else writes stops the actuator before it acts', () => {
  using lab = openLab();
  lab.drift('a', change);
  appendFileSync(join(lab.policy.state, 'ledger.jsonl'), '\n');
  assert.throws(() => lab.restore('a', change), codeFatal('LEDGER_WRITE_FAILED'));
  assert.equal(lab.read('a'), change.live);
});

test('a mark that could not be tidied up ends the process, and is found done', () => {
  using lab = openLab();
  lab.write('a', change.good);
  void lab.executor;
  const odd = join(lab.policy.state, 'versions', 'odd');
  mkdirSync(odd); // A folder is not removed as a forgotten content is.
  const mark = { kind: 'mark-known-good' } as const;
  assert.throws(() => lab.run(mark, { id }), codeFatal('CHANGE_UNCERTAIN'));
  rmdirSync(odd);
  lab.restart();
  assert.equal(lab.run(mark, { id }).kind, 'done');
});

test('a damaged version index stops the start', () => {
  for (const text of ['', '[]', '{"items":{"file:/a":[{}]}}', '{"items":', '{"items":{"a":1}}']) {
    using lab = openLab();
    lab.drift('a', change);
    writeFileSync(join(lab.policy.state, 'versions.json'), text);
    assert.throws(() => lab.restart(), codeFatal('VERSIONS_DAMAGED'), text);
  }
});

test('a digest in the outcome is the fingerprint of the content', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.restore('a', change);
  assert.equal(ledgerLines(lab).at(-1)?.transaction?.writtenDigest, digestOf(lab.read('a')));
});
