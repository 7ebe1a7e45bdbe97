// Facts about streams: of one host there is one, the newest.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootId, parseHostId } from '@foreshadow/model';
import type { AgentStream } from '@foreshadow/wire';
import { createStreams } from './streams.ts';

const host = parseHostId('web-1');
const boot = parseBootId('0123456789abcdef');
assert.ok(host !== undefined && boot !== undefined);
const about = { protocolVersion: 1, role: 'shadow', scope: 'host', agentVersion: '1' } as const;
const hello = { ...about, host, boot, labels: {}, inventory: {} };

function createStream(): AgentStream & { readonly reasons: string[] } {
  const reasons: string[] = [];
  return { hello, reasons, send: () => {}, end: (reason) => void reasons.push(reason) };
}

test('a second stream of one host ends the first, which reads why', () => {
  const streams = createStreams();
  const [first, second] = [createStream(), createStream()];
  streams.add(first);
  assert.equal(streams.get(host), first);
  streams.add(second);
  assert.equal(streams.get(host), second);
  assert.match(first.reasons.join(), /do two agents run under one name/);
  assert.deepEqual(second.reasons, []);
  assert.deepEqual([...streams.hosts()], [host]);
});

test('the end of a replaced stream does not take the newer one along', () => {
  const streams = createStreams();
  const [first, second] = [createStream(), createStream()];
  streams.add(first);
  streams.add(second);
  assert.equal(streams.remove(first), false);
  assert.equal(streams.get(host), second);
  assert.equal(streams.remove(second), true);
  assert.equal(streams.get(host), undefined);
});

test('a replaced stream whose end is heard at once finds that it was replaced', () => {
  const streams = createStreams();
  const removals: boolean[] = [];
  const first: AgentStream = {
    ...createStream(),
    end: () => void removals.push(streams.remove(first)),
  };
  const second = createStream();
  streams.add(first);
  streams.add(second);
  assert.deepEqual(removals, [false]);
  assert.equal(streams.get(host), second);
});
