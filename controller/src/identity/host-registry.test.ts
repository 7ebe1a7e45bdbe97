// In: introductions of agents. Out: proof of what is known of their hosts.
// Never: opens a stream.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseHostId, type HostId } from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import { HOSTS_MAX, createHostRegistry, type Introduction } from './host-registry.ts';

let nowMs = 0;
const clock: Clock = {
  nowMs: () => nowMs,
  monotonicMs: () => nowMs,
  after: () => ({ cancel: () => undefined }),
  sleep: async () => Promise.resolve(),
};

function idOf(name: string): HostId {
  const id = parseHostId(name);
  assert.ok(id !== undefined);
  return id;
}

function introductionOf(name: string, more: Partial<Introduction> = {}): Introduction {
  const rest = { labels: {}, scope: 'host', agentVersion: '0.1.0', inventory: {} } as const;
  return { host: idOf(name), role: 'shadow', ...rest, ...more };
}

test('a host beyond the bound is refused, one that is known is not', () => {
  const registry = createHostRegistry({ initial: [], clock });
  for (let index = 0; index < HOSTS_MAX; index += 1) registry.greet(introductionOf(`h${index}`));
  assert.throws(() => registry.greet(introductionOf('late')), { code: 'HOSTS_TOO_MANY' });
  assert.equal(registry.greet(introductionOf('h0')).isConnected, true);
});

test('a silent host stays known, and its record says when it was heard', () => {
  const registry = createHostRegistry({ initial: [], clock });
  const id = idOf('web');
  assert.equal(registry.isKnown(id), false);
  nowMs = 10;
  registry.greet(introductionOf('web'));
  nowMs = 20;
  registry.heard(id);
  registry.left(id);
  const { firstSeenMs, lastSeenMs, isConnected } = registry.get(id) ?? {};
  assert.deepEqual([firstSeenMs, lastSeenMs, isConnected], [10, 20, false]);
  const [kept] = createHostRegistry({ initial: registry.list(), clock }).list();
  assert.deepEqual([kept?.id, kept?.isConnected], [id, false]);
});

test('the version rises with what pairing depends on, and with nothing else', () => {
  const registry = createHostRegistry({ initial: [], clock });
  const version = (more: Partial<Introduction>): number => {
    registry.greet(introductionOf('web', more));
    return registry.version;
  };
  const first = version({ labels: { a: '1', b: '2' } });
  assert.equal(version({ labels: { b: '2', a: '1' }, agentVersion: '0.2.0' }), first);
  assert.equal(version({ labels: { a: '2', b: '2' } }), first + 1);
  assert.equal(version({ labels: { a: '2', b: '2' }, role: 'production' }), first + 2);
});
