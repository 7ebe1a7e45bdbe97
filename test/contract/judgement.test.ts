// In: the counters of two synthetic hosts, second by second. Out: the verdicts that the whole line
// pairing → deviation → verdict gives at each tick, as the controller would call it.
// FORESHADOW_THOROUGH=1 plays all seeds and lengths; a plain run plays the first few of each.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { measureDeviations } from '@foreshadow/controller/deviation/index.ts';
import { alignPairs } from '@foreshadow/controller/pairing/index.ts';
import {
  defaultLimits,
  judge,
  learnsNoise,
  resolveLimits,
} from '@foreshadow/controller/verdict/index.ts';
import {
  pairIdOf,
  parseHostId,
  type HostId,
  type MetricName,
  type NoiseFloor,
  type ObservableName,
  type Pair,
  type RawWindow,
  type Verdict,
} from '@foreshadow/model';
import { seededRandom } from '@foreshadow/runtime';
import { updateNoise } from '@foreshadow/series';

const isThorough = process.env['FORESHADOW_THOROUGH'] === '1';
const SEEDS = isThorough ? 20 : 4;
const STEP_LENGTHS_S = isThorough ? [15, 45, 75, 120, 150, 180, 240] : [45, 150];

const START_MS = 1_800_000_000_000;
const SPAN_MS = 330_000;

const pair: Pair = { ...sidesOf('shop', 'shop-shadow'), origin: 'explicit' };
const limits = resolveLimits({
  defaults: defaultLimits,
  labelRules: [],
  pairRules: new Map(),
  labelsOf: () => ({}),
});

function sidesOf(left: string, right: string): Pick<Pair, 'id' | 'production' | 'shadow'> {
  const production = parseHostId(left);
  const shadow = parseHostId(right);
  assert.ok(production !== undefined && shadow !== undefined);
  return { id: pairIdOf(production, shadow), production, shadow };
}

/** What one host does in second `second` of the story. */
interface Moment {
  /** Share of the host's CPUs in use. */
  readonly cpuRatio: number;
  readonly readBytesPerSecond: number;
}

interface Story {
  readonly seconds: number;
  readonly intervalMs?: number;
  /** Relative noise of CPU use; 0.05 is 5 %. */
  readonly noise?: number;
  readonly seed?: number;
  /** Whether noise floors are learned on the way; without them the limits alone decide. */
  readonly learns?: boolean;
  readonly production: (second: number) => Moment;
  readonly shadow: (second: number) => Moment;
}

const calm = (cpuRatio: number): Moment => ({ cpuRatio, readBytesPerSecond: 40_000 });

/** Samples of the whole story; a tick sees the part before it. */
function recordHost(host: HostId, story: Story, side: 'production' | 'shadow'): RawWindow {
  const { intervalMs = 1_000, noise = 0, seed = 1 } = story;
  const random = seededRandom(seed * 2 + (side === 'shadow' ? 1 : 0));
  const count = Math.floor((story.seconds * 1_000) / intervalMs);
  const times = new Float64Array(count);
  const [cpu, cores, memory, capacity, read] = Array.from({ length: 5 }, () => {
    return new Float64Array(count);
  });
  assert.ok(cpu && cores && memory && capacity && read);
  let [cpuSeconds, readBytes] = [1_000, 1_000_000];
  for (let index = 0; index < count; index += 1) {
    const phaseMs = side === 'shadow' ? 430 : 20;
    times[index] = START_MS + index * intervalMs + phaseMs + Math.floor(random() * 40);
    const { cpuRatio, readBytesPerSecond } = story[side]((index * intervalMs) / 1_000);
    const wild = 1 + noise * gaussian(random);
    cpuSeconds += 2 * cpuRatio * Math.max(0, wild) * (intervalMs / 1_000);
    readBytes += readBytesPerSecond * (0.9 + 0.2 * random()) * (intervalMs / 1_000);
    cpu[index] = Math.round(cpuSeconds * 100) / 100; // The kernel counts in hundredths.
    cores[index] = 2;
    memory[index] = 1_000_000_000;
    capacity[index] = 8_000_000_000;
    read[index] = Math.round(readBytes);
  }
  const series = new Map<MetricName, [{ values: Float64Array }]>([
    ['cpu_used_seconds_total', [{ values: cpu }]],
    ['cpu_capacity_cores', [{ values: cores }]],
    ['memory_used_bytes', [{ values: memory }]],
    ['memory_capacity_bytes', [{ values: capacity }]],
    ['process_read_bytes_total', [{ values: read }]],
  ]);
  return { host, intervalMs, times, series };
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function upTo(raw: RawWindow, nowMs: number): RawWindow {
  const end = raw.times.findLastIndex((timeMs) => timeMs <= nowMs) + 1;
  const start = Math.max(0, end - Math.ceil(SPAN_MS / raw.intervalMs) - 1);
  const cut = (values: Float64Array): Float64Array => values.subarray(start, end);
  const series = new Map(
    [...raw.series].map(([name, all]) => [
      name,
      all.map(({ values }) => ({ values: cut(values) })),
    ]),
  );
  return { ...raw, times: cut(raw.times), series };
}

/** Verdicts of all ticks; `verdicts[k]` is given after sample `k` of both hosts. */
function play(story: Story): readonly Verdict[] {
  const intervalMs = story.intervalMs ?? 1_000;
  const hosts = new Map([
    [pair.production, recordHost(pair.production, story, 'production')],
    [pair.shadow, recordHost(pair.shadow, story, 'shadow')],
  ]);
  const verdicts: Verdict[] = [];
  const floors = new Map<ObservableName, NoiseFloor>();
  for (let elapsedMs = 0; elapsedMs < story.seconds * 1_000; elapsedMs += intervalMs) {
    const nowMs = START_MS + elapsedMs + 500;
    const read = (host: HostId): RawWindow | undefined => {
      const raw = hosts.get(host);
      return raw === undefined ? undefined : upTo(raw, nowMs);
    };
    const windows = alignPairs({ pairs: [pair], read, nowMs, spanMs: SPAN_MS });
    const noise = (_: Pair, name: ObservableName): NoiseFloor | undefined => floors.get(name);
    const [deviation] = measureDeviations(windows, { noise });
    assert.ok(deviation !== undefined);
    const verdict = judge(deviation, { limits, previous: verdicts.at(-1), nowMs });
    verdicts.push(verdict);
    if (story.learns !== true || !learnsNoise(verdict, { hasDrift: false })) continue;
    for (const { observable, deviation: value = NaN } of deviation.deviations)
      floors.set(observable, updateNoise(floors.get(observable), value));
  }
  return verdicts;
}

function statuses(verdicts: readonly Verdict[]): readonly string[] {
  return verdicts.map(({ status }) => status);
}

test('the same load and use on both hosts is aligned from the first seconds', () => {
  const verdicts = play({ seconds: 60, production: () => calm(0.1), shadow: () => calm(0.1) });
  assert.deepEqual(new Set(statuses(verdicts.slice(0, 5))), new Set(['inconclusive']));
  assert.deepEqual(new Set(statuses(verdicts.slice(8))), new Set(['aligned']));
});

test('a step to three times the CPU is diverged within 5 evaluations, and back within 12', () => {
  const [from, to] = [60, 90];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const story: Story = {
      seconds: 200,
      noise: 0.05,
      seed,
      production: () => calm(0.1),
      shadow: (second) => calm(second > from && second <= to ? 0.3 : 0.1),
    };
    const verdicts = play(story);
    const known = statuses(verdicts);
    assert.ok(!known.slice(8, from + 1).includes('diverged'), `seed ${seed}`);
    const diverged = known.indexOf('diverged') - from;
    assert.ok(diverged <= 5, `seed ${seed}: diverged after ${diverged} evaluations`);
    assert.deepEqual(new Set(known.slice(from + 5, to + 1)), new Set(['diverged']));
    const aligned = known.indexOf('aligned', to) - to;
    assert.ok(aligned <= 12, `seed ${seed}: aligned after ${aligned} evaluations`);
    assert.deepEqual(new Set(known.slice(to + 12)), new Set(['aligned']), `seed ${seed}`);
  }
});

test('a return from a step of any length is aligned, never diverging', () => {
  for (const length of STEP_LENGTHS_S) {
    const verdicts = play({
      seconds: 500 + length,
      noise: 0.05,
      seed: length,
      production: () => calm(0.5),
      shadow: (second) => calm(second > 200 && second <= 200 + length ? 0.8 : 0.5),
    });
    const after = statuses(verdicts.slice(200 + length + 12));
    assert.deepEqual(new Set(after), new Set(['aligned']), `a step of ${length} s`);
  }
});

test('noise of 5 % on 10 % CPU stays silent for 600 evaluations, whatever the seed', () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const verdicts = play({
      seconds: 600,
      noise: 0.05,
      seed,
      production: () => calm(0.1),
      shadow: () => calm(0.1),
    });
    const loud = verdicts.slice(8).find(({ status }) => status !== 'aligned');
    assert.equal(loud, undefined, `seed ${seed}: ${loud?.sentence}`);
  }
});

test('a slow ramp is diverging before it is diverged', () => {
  const verdicts = play({
    seconds: 700,
    noise: 0.02,
    production: () => calm(0.5),
    shadow: (second) => calm(0.5 * (1 + Math.max(0, second - 100) * 0.0003)),
  });
  const known = statuses(verdicts);
  const diverging = known.indexOf('diverging');
  const diverged = known.indexOf('diverged');
  assert.ok(diverging > 100 && diverging < diverged - 60, `${diverging} before ${diverged}`);
  assert.match(
    verdicts[diverging]?.sentence ?? '',
    /grows by .* a minute; .* crosses its limit in/,
  );
});

test('a drift so slow that it looks like noise is not learned as noise for ever', () => {
  const verdicts = play({
    seconds: 2_500,
    noise: 0.02,
    learns: true,
    production: () => calm(0.5),
    shadow: (second) => calm(0.5 * (1 + second * 0.0001)),
  });
  assert.equal(verdicts.at(-1)?.status, 'diverged');
});

test('an idle shadow beside a busy production host is not judged', () => {
  const verdicts = play({
    seconds: 120,
    production: () => calm(0.4),
    shadow: () => ({ cpuRatio: 0.01, readBytesPerSecond: 200 }),
  });
  const last = verdicts.slice(6);
  assert.deepEqual(new Set(last.map(({ reason }) => reason)), new Set(['LOAD_NOT_COMPARABLE']));
  assert.match(
    last.at(-1)?.sentence ?? '',
    /^Not judged: production has 4\d(?:\.\d)? kB\/s, shadow/,
  );
});

test('load that stops on the shadow is not taken for drift', () => {
  const verdicts = play({
    seconds: 120,
    production: () => calm(0.2),
    shadow: (second) => (second <= 60 ? calm(0.2) : { cpuRatio: 0.005, readBytesPerSecond: 0 }),
  });
  assert.ok(!statuses(verdicts).includes('diverged'));
  assert.equal(verdicts.at(-1)?.reason, 'LOAD_NOT_COMPARABLE');
});

test('hosts with different sampling intervals are compared on the longer one', () => {
  const story = { seconds: 120, production: () => calm(0.1), shadow: () => calm(0.1) };
  const hosts = new Map([
    [pair.production, recordHost(pair.production, story, 'production')],
    [pair.shadow, recordHost(pair.shadow, { ...story, intervalMs: 5_000 }, 'shadow')],
  ]);
  const nowMs = START_MS + 119_000;
  const [window] = alignPairs({
    pairs: [pair],
    read: (host) => hosts.get(host),
    nowMs,
    spanMs: 100_000,
  });
  assert.ok(window !== undefined);
  assert.equal(window.stepMs, 5_000);
  assert.equal(window.commonCount, window.cellCount);
});

test('a host that falls silent makes the verdict stale', () => {
  const story = { seconds: 60, production: () => calm(0.1), shadow: () => calm(0.1) };
  const verdicts = play(story);
  const before = verdicts.at(-1);
  const windows = alignPairs({
    pairs: [pair],
    read: (host) => recordHost(host, story, host === pair.shadow ? 'shadow' : 'production'),
    nowMs: START_MS + 70_000,
    spanMs: SPAN_MS,
  });
  const [deviation] = measureDeviations(windows, { noise: () => undefined });
  assert.ok(deviation !== undefined);
  const stale = judge(deviation, { limits, previous: before, nowMs: START_MS + 70_000 });
  assert.equal(stale.reason, 'STALE');
  assert.match(stale.sentence, /are \d+ s old/);
});
