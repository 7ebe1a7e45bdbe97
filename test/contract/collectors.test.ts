// The contract of every collector, over the list: what is declared, what is absent, what is
// hostile.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assert as check, asyncProperty, constantFrom, nat, uint8Array } from 'fast-check';
import {
  createProcessCollector,
  hostCollectors,
  type Collector,
} from '@foreshadow/agent/collectors/index.ts';
import { openHost } from '@foreshadow/agent/host/index.ts';
import { metrics, type Host, type Reading } from '@foreshadow/model';
import { codeOf, systemClock } from '@foreshadow/runtime';
import { fixtureFolder, openFixtureHost } from '../support/fixture-host.ts';

const FIXTURE = 'debian-12';
const pidFile = join(fixtureFolder(FIXTURE), 'service.pid');
const codes = new Set(['INSTANCES_OVER_BOUND', 'PROCESS_TREE_OVER_BOUND']);
const HOSTILE_TICK_MS_MAX = 2_000; // Of all collectors over files of 1 MiB; measured 80 ms.

const collectors = (): readonly Collector[] => [
  ...hostCollectors,
  createProcessCollector({ pidFile }),
];

async function collect(collector: Collector, host: Host): Promise<Reading[]> {
  const readings: Reading[] = [];
  await collector.collect(
    host,
    (metric, value, instance) =>
      void readings.push(instance === undefined ? { metric, value } : { metric, value, instance }),
    new AbortController().signal,
  );
  return readings;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** The captured host, with the bytes of each file changed, and every path it was asked for. */
function changed(
  host: Host,
  change: (path: string, bytes: Uint8Array) => Uint8Array,
): { readonly host: Host; readonly paths: Set<string> } {
  const paths = new Set<string>();
  const read = (path: string): Uint8Array | undefined => {
    paths.add(path);
    const bytes = host.readOnce(path);
    return bytes === undefined ? undefined : change(path, bytes);
  };
  return {
    paths,
    host: {
      readBytes: read,
      readOnce: read,
      list: (path) => host.list(path),
      statFilesystem: (path, type) => host.statFilesystem(path, type),
      inventory: async () => ({}),
    },
  };
}

/** @returns the number of readings */
async function collectHostile(host: Host): Promise<number> {
  let count = 0;
  for (const collector of collectors()) {
    try {
      for (const { value, metric } of await collect(collector, host)) {
        assert.ok(Number.isFinite(value), `${metric} ${value}`);
        count += 1;
      }
    } catch (error) {
      assert.ok(codes.has(codeOf(error)), `${collector.name}: ${String(error)}`);
    }
  }
  return count;
}

test('names are unique and every declared metric is in the catalogue, once a collector', () => {
  const names = collectors().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const collector of collectors()) {
    assert.equal(new Set(collector.metrics).size, collector.metrics.length, collector.name);
    for (const metric of collector.metrics) assert.ok(Object.hasOwn(metrics, metric), metric);
  }
});

test('every catalogued metric is collected by somebody', () => {
  const collected = new Set(collectors().flatMap((collector) => collector.metrics));
  assert.deepEqual(
    Object.keys(metrics).filter((metric) => ![...collected].some((known) => known === metric)),
    [],
  );
});

test('exactly the declared metrics are reported of the captured host', async () => {
  using host = openFixtureHost(FIXTURE);
  for (const collector of collectors()) {
    const reported = new Set((await collect(collector, host)).map(({ metric }) => metric));
    assert.deepEqual([...reported].toSorted(), collector.metrics.toSorted(), collector.name);
  }
});

test('of a machine that says nothing, nothing is reported', async () => {
  using host = openHost({ roots: { proc: '/nonexistent', sys: '/nonexistent' } });
  for (const collector of collectors()) assert.deepEqual(await collect(collector, host), []);
});

test('of a machine whose files are empty, nothing is reported', async () => {
  using captured = openFixtureHost(FIXTURE);
  const { host } = changed(captured, () => new Uint8Array());
  assert.equal(await collectHostile(host), 0);
});

test('cut files yield no number that the whole file does not have', async () => {
  using captured = openFixtureHost(FIXTURE);
  const valuesOf = async (host: Host): Promise<Set<string>> => {
    const values = new Set<string>();
    for (const collector of hostCollectors.filter(({ name }) => name !== 'cpu'))
      for (const { metric, instance, value } of await collect(collector, host))
        values.add(`${metric} ${instance ?? ''} ${value}`);
    return values;
  };
  const whole = await valuesOf(captured);
  await check(
    asyncProperty(nat(3_000), async (length) => {
      const { host } = changed(captured, (_, bytes) => bytes.slice(0, length));
      for (const value of await valuesOf(host)) assert.ok(whole.has(value), value);
    }),
  );
});

test('garbage in any place is answered by absence or a code', async () => {
  using captured = openFixtureHost(FIXTURE);
  const noise = uint8Array({ minLength: 1, maxLength: 64 });
  await check(
    asyncProperty(noise, nat(3_000), nat(64), async (garbage, at, dropped) => {
      const { host } = changed(captured, (_, bytes) =>
        Buffer.concat([bytes.slice(0, at), garbage, bytes.slice(at + dropped)]),
      );
      await collectHostile(host);
    }),
  );
});

test('enormous, negative and broken numbers are absent', async () => {
  using captured = openFixtureHost(FIXTURE);
  const words = constantFrom('9'.repeat(40), '-1', 'NaN', 'Infinity', '1e9', '0x1f', '\0', '1,5');
  await check(
    asyncProperty(words, async (word) => {
      const { host } = changed(captured, (_, bytes) =>
        Buffer.from(textOf(bytes).replaceAll(/\b\d[\d.]*/g, word)),
      );
      for (const collector of hostCollectors.filter(({ name }) => !/cpu|filesystem/.test(name)))
        assert.deepEqual(await collect(collector, host), [], `${collector.name} ${word}`);
    }),
  );
});

test('lines of 1 MiB are answered in bounded time', async () => {
  using captured = openFixtureHost(FIXTURE);
  for (const byte of [0x00, 0x20, 0x2f, 0x31, 0x3a, 0x0a, 0xff]) {
    const line = new Uint8Array(1024 * 1024).fill(byte);
    const { host } = changed(captured, (path, bytes) =>
      path === pidFile ? bytes : Buffer.concat([bytes, line]),
    );
    const startedMs = systemClock.monotonicMs();
    await collectHostile(host);
    const tookMs = systemClock.monotonicMs() - startedMs;
    assert.ok(tookMs < HOSTILE_TICK_MS_MAX, `byte ${byte}: ${tookMs} ms`);
  }
});

test('the captured host has these values', async () => {
  using host = openFixtureHost(FIXTURE);
  const values = new Map<string, number>();
  for (const collector of collectors())
    for (const { metric, instance, value } of await collect(collector, host))
      values.set([collector.name, metric, instance].join(' ').trim(), value);
  const f = (name: string, expected: number): void =>
    assert.equal(values.get(name), expected, name);

  f('cpu cpu_used_seconds_total', (18131 + 7700 + 83 + 34) / 100);
  f('cpu cpu_capacity_cores', 2);
  f('cpu context_switches_total', 1_371_243);
  f('load load_average_1m', 1.97);
  f('load tasks', 97);
  f('memory memory_used_bytes', (24_684_092 - 24_063_780) * 1024);
  f('disk disk_read_bytes_total vda', 5_282_250 * 512);
  f('disk disk_busy_seconds_total vda', 7.676);
  f('filesystem filesystem_used_bytes /', 270_553_174_016 - 257_591_451_648);
  f('filesystem filesystem_available_bytes /srv/shop data', 8_589_934_592);
  f('network network_received_bytes_total eth0', 301_081_588);
  f('network network_sent_packets_total eth0', 6_115);
  f('process cpu_used_seconds_total', 1.35);
  f('process memory_used_bytes', (284 + 37_876) * 1024);
  f('process process_count', 2);
  f('process process_threads', 8);
  f('process process_read_bytes_total', 40_310 + 249_875);
  f('process process_restarts_total', 0);
  const instances = [...values.keys()].flatMap((name) => name.split(' ').slice(2).join(' '));
  assert.deepEqual([...new Set(instances)].toSorted(), [
    '',
    '/',
    '/srv/shop data',
    'eth0',
    'ifb0',
    'ifb1',
    'vda',
  ]);
});

test('this machine is measured, and its counters do not go back', async () => {
  using host = openHost({ roots: { proc: '/proc', sys: '/sys' } });
  for (const collector of hostCollectors) {
    const first = await collect(collector, host);
    const second = await collect(collector, host);
    for (const { metric, instance, value } of first) {
      assert.ok(Number.isFinite(value) && value >= 0, metric);
      if (metrics[metric].kind !== 'counter' || /idle|iowait/.test(metric)) continue;
      const later = second.find((next) => next.metric === metric && next.instance === instance);
      assert.ok((later?.value ?? -1) >= value, `${metric} ${instance ?? ''}`);
    }
  }
});

test('the README lists every collector, metric, unit, kind and source, and no other', async () => {
  using captured = openFixtureHost(FIXTURE);
  const path = join(import.meta.dirname, '..', '..', 'agent', 'src', 'collectors', 'README.md');
  const text = readFileSync(path, 'utf8');
  const rows = [...text.matchAll(/^\| (\w+) \| `(\w+)` \| (\w+) \| (\w+) \| `([^`]+)` \|$/gm)];
  const expected = collectors().flatMap((collector) =>
    collector.metrics.map(
      (metric) => `${collector.name} ${metric} ${metrics[metric].unit} ${metrics[metric].kind}`,
    ),
  );
  assert.deepEqual(
    rows.map((row) => row.slice(1, 5).join(' ')),
    expected,
  );

  for (const collector of collectors()) {
    const { host, paths } = changed(captured, (_, bytes) => bytes);
    await collect(collector, host);
    for (const [, name, metric, , , source = ''] of rows) {
      if (name !== collector.name || !source.startsWith('/')) continue;
      const isRead = [...paths].some((read) => read.replace(/\/\d+\//, '/<pid>/') === source);
      assert.ok(isRead, `${metric}: ${collector.name} does not read ${source}`);
    }
  }
});
