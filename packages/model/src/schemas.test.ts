// Proves that the schemas refuse what the interfaces cannot say, and let the interfaces' values
// through.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Value } from 'typebox/value';
import type { Static } from 'typebox';
import { hostIdSchema, orderSchema, outcomeSchema, pairIdSchema, verdictSchema } from './index.ts';
import { commandBodySchema, pairStateSchema, parseHostId, pairIdOf, parsePairId } from './index.ts';
import type { HostId, PairState, Verdict } from './index.ts';

const digest = 'a'.repeat(32);
const restore = {
  kind: 'restore',
  item: 'file:/etc/a',
  expectedDigest: digest,
  targetDigest: digest,
};

test('an order that mixes two kinds is refused', () => {
  assert.ok(Value.Check(orderSchema, restore));
  assert.ok(!Value.Check(orderSchema, { ...restore, kind: 'undo' }));
  assert.ok(!Value.Check(orderSchema, { ...restore, expectedDigest: 'A'.repeat(32) }));
  assert.ok(!Value.Check(orderSchema, { ...restore, command: 'cmd-000000000000' }));
});

test('a command body without a reason, or with one of blanks, is refused', () => {
  const body = { host: 'web-1', order: restore, isDryRun: true, requestedBy: 'me' };
  assert.ok(Value.Check(commandBodySchema, { ...body, reason: 'drifted' }));
  assert.ok(!Value.Check(commandBodySchema, body));
  assert.ok(!Value.Check(commandBodySchema, { ...body, reason: '  ' }));
});

test('marking known-good is not an order of the commands route', () => {
  const body = { host: 'web-1', isDryRun: false, requestedBy: 'me', reason: 'r' };
  assert.ok(!Value.Check(commandBodySchema, { ...body, order: { kind: 'mark-known-good' } }));
});

test('an unknown outcome carries no code', () => {
  assert.ok(Value.Check(outcomeSchema, { kind: 'unknown', sentence: 's' }));
  assert.ok(!Value.Check(outcomeSchema, { kind: 'unknown', sentence: 's', code: 'C' }));
});

test('a verdict is the interface that the schema describes, brands included', () => {
  const verdict: Verdict = {
    pair: pairIdOf('a' as HostId, 'b' as HostId), // Literals that are host ids.
    atMs: 1,
    status: 'inconclusive',
    reason: 'NO_SAMPLES',
    sentence: 'No samples.',
    commonCount: 0,
    load: { kind: 'unknown' },
    findings: [],
  };
  const asStatic: Static<typeof verdictSchema> = verdict;
  const state: PairState = {
    pair: {
      id: verdict.pair,
      production: 'a' as HostId,
      shadow: 'b' as HostId,
      origin: 'explicit',
    },
    verdict: asStatic,
    driftCount: 0,
  };
  assert.ok(Value.Check(pairStateSchema, state));
  assert.ok(!Value.Check(verdictSchema, { ...verdict, status: 'fine' }));
});

test('the schemas of identifiers and their parsers agree on any text', () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.stringMatching(/^[a-z0-9-]{1,70}_?[a-z0-9-]{0,70}$/),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(Value.Check(hostIdSchema, text), parseHostId(text) !== undefined);
      assert.equal(Value.Check(pairIdSchema, text), parsePairId(text) !== undefined);
    }),
  );
});

test('two host ids always make a pair id', () => {
  const hosts = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
  fc.assert(
    fc.property(hosts, hosts, (production, shadow) => {
      assert.notEqual(parsePairId(`${production}_${shadow}`), undefined);
    }),
  );
});
