import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { CommandId, Outcome } from '@foreshadow/model';
import { codeOf, openLab, type Lab } from '../lab.test.ts';

const change = { live: 'workers: 99\n', good: 'workers: 4\n' };
const id = 'cmd-aaaaaaaaaaaa';

function undo(lab: Lab, command: string, isDryRun = false): Outcome {
  return lab.run({ kind: 'undo', command: command as CommandId }, { isDryRun }); // Well-formed.
}

test('an undo puts back what the restore replaced, once', () => {
  using lab = openLab();
  lab.drift('a', change);
  assert.equal(lab.restore('a', change, { id }).kind, 'done');
  assert.equal(undo(lab, id).kind, 'done');
  assert.equal(lab.read('a'), change.live);
  assert.equal(codeOf(undo(lab, id)), 'ALREADY_UNDONE');
});

test('an undo works after a restart', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.restore('a', change, { id });
  lab.restart();
  assert.equal(undo(lab, id).kind, 'done');
  lab.restart();
  assert.equal(codeOf(undo(lab, id)), 'ALREADY_UNDONE');
  assert.equal(lab.read('a'), change.live);
});

test('an undo overwrites nobody else', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.restore('a', change, { id });
  lab.write('a', 'by hand');
  assert.equal(codeOf(undo(lab, id)), 'CHANGED_SINCE');
  lab.write('a', change.live);
  assert.equal(codeOf(undo(lab, id)), 'CHANGED_SINCE');
  assert.equal(lab.read('a'), change.live);
});

test('only a restore that was carried out can be undone', () => {
  using lab = openLab();
  lab.drift('a', change);
  assert.equal(codeOf(undo(lab, id)), 'COMMAND_UNKNOWN');
  lab.restore('a', change, { id: 'cmd-bbbbbbbbbbbb', isDryRun: true });
  assert.equal(codeOf(undo(lab, 'cmd-bbbbbbbbbbbb')), 'NOT_UNDOABLE');
  lab.restore('a', { live: 'other', good: change.good }, { id: 'cmd-cccccccccccc' });
  assert.equal(codeOf(undo(lab, 'cmd-cccccccccccc')), 'NOT_UNDOABLE');
  assert.equal(codeOf(undo(lab, 'cmd-000000000001')), 'NOT_UNDOABLE', 'a mark');
});

test('a dry run of an undo changes nothing', () => {
  using lab = openLab();
  lab.drift('a', change);
  lab.restore('a', change, { id });
  assert.equal(undo(lab, id, true).kind, 'done');
  assert.equal(lab.read('a'), change.good);
  assert.equal(undo(lab, id).kind, 'done');
});

test('an undo needs the same leave as a restore', () => {
  using lab = openLab({ isEnabled: false });
  assert.equal(codeOf(undo(lab, id)), 'RESTORE_DISABLED');
});
