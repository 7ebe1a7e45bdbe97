import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pairIdOf, parseHostId, verdictStatuses } from '@foreshadow/model';
import type { Deviation, LoadComparison, PairDeviation, Verdict } from '@foreshadow/model';
import { judge, learnsNoise } from './judge.ts';
import { defaultLimits, resolveLimits } from './limits.ts';

const production = parseHostId('a');
const shadow = parseHostId('b');
assert.ok(production !== undefined && shadow !== undefined);
const pair = { id: pairIdOf(production, shadow), production, shadow, origin: 'explicit' };
const limits = resolveLimits({
  defaults: { ...defaultLimits, process_threads: { deviation: 0.5 } },
  labelRules: [],
  pairRules: new Map(),
  labelsOf: () => ({}),
});
const alike: LoadComparison = {
  kind: 'comparable',
  signal: 'process_read_bytes_per_second',
  production: 1,
  shadow: 1,
};
const unlike: LoadComparison = {
  kind: 'not-comparable',
  signal: 'process_read_bytes_per_second',
  production: 41_000,
  shadow: 200,
};

/** Of CPU at 50 %; the last five evaluations. */
function cpu(history: readonly number[], more: Partial<Deviation> = {}): Deviation {
  const newest = history.at(-1) ?? NaN;
  return {
    observable: 'cpu_used_ratio',
    production: 0.5,
    shadow: 0.5 * (1 + newest),
    history: Float64Array.from(history),
    distance: Float64Array.from(history, (ratio) => ratio * 0.5),
    deviation: newest,
    ...more,
  };
}

function verdictOf(
  deviations: readonly Deviation[],
  given: { readonly previous?: Verdict; readonly nowMs?: number } & Partial<PairDeviation> = {},
): Verdict {
  const { previous, nowMs = 100_000, ...facts } = given;
  const deviation: PairDeviation = {
    pair,
    stepMs: 1_000,
    newestMs: 100_000,
    commonCount: 30,
    load: alike,
    deviations,
    ...facts,
  };
  return judge(deviation, { limits, previous, nowMs });
}

test('three of five breaches are diverged, two are not', () => {
  const f = (history: number[], status: string, count: number): void => {
    const verdict = verdictOf([cpu(history)]);
    assert.equal(verdict.status, status);
    assert.equal(verdict.reason, status === 'diverged' ? 'OVER_LIMIT' : 'WITHIN_LIMITS');
    assert.equal(verdict.findings[0]?.breachCount, count);
  };
  f([0, 0, 0.2, 0.2, 0.2], 'diverged', 3);
  f([0.2, 0, 0.2, 0, 0.2], 'diverged', 3);
  f([0.2, 0.2, 0, 0, 0], 'aligned', 2);
  f([0.2, 0.2, 0.2, 0, 0, 0, 0, 0], 'aligned', 0); // Older ones do not count.
  f([NaN, NaN, 0.2, 0.2, 0.2], 'diverged', 3);
});

test('a pair that had diverged is aligned only when none of five breaches', () => {
  const previous = verdictOf([cpu([0.2, 0.2, 0.2, 0.2, 0.2])]);
  assert.equal(verdictOf([cpu([0.2, 0, 0, 0, 0])], { previous }).status, 'diverged');
  assert.equal(verdictOf([cpu([0.2, 0, 0, 0, 0])]).status, 'aligned');
  assert.equal(verdictOf([cpu([0, 0, 0, 0, 0])], { previous }).status, 'aligned');
});

test('a deviation below the floor or within the noise of the pair is no breach', () => {
  const small = cpu([0.2, 0.2, 0.2, 0.2, 0.2], { production: 0.05, shadow: 0.06 });
  const below = verdictOf([{ ...small, distance: small.history.map((ratio) => ratio * 0.05) }]);
  assert.equal(below.status, 'aligned');
  assert.match(below.sentence, /but the difference is below its floor of 0\.02\.$/);
  const noise = { center: 0.09, spread: 0.03, n: 500 };
  const usual = verdictOf([cpu([0.17, 0.17, 0.17, 0.17, 0.17], { noise })]);
  assert.equal(usual.status, 'aligned');
  assert.match(usual.sentence, /within the pair's usual noise of up to 18 %\.$/);
  const young = cpu([0.17, 0.17, 0.17, 0.17, 0.17], { noise: { ...noise, n: 5 } });
  assert.equal(verdictOf([young]).status, 'diverged');
  const wide = cpu([0.25, 0.25, 0.25, 0.25, 0.25], { noise: { ...noise, center: 1 } });
  assert.equal(verdictOf([wide]).status, 'diverged');
});

test('a busy shadow beside a production host below its floor has diverged', () => {
  const { deviation: _, ...idle } = cpu([NaN, NaN, NaN, NaN, NaN], {
    production: 0.01,
    shadow: 0.4,
    distance: new Float64Array(5).fill(0.39),
  });
  const verdict = verdictOf([idle]);
  assert.equal(verdict.status, 'diverged');
  assert.match(verdict.sentence, /is compared by distance \(production 0\.01, shadow 0\.4; floor/);
  const both = verdictOf([{ ...idle, distance: new Float64Array(5).fill(0.01) }]);
  assert.equal(both.status, 'aligned');
});

test('the sentence of a divergence has the numbers that decided', () => {
  const verdict = verdictOf([
    cpu([0, 2.12, 2.12, 2.12, 2.12], { production: 0.082, shadow: 0.256 }),
  ]);
  assert.equal(
    verdict.sentence,
    'cpu_used_ratio deviates by 212 % (production 0.082, shadow 0.256; limit 10 %) ' +
      'in 4 of the last 5 evaluations.',
  );
});

test("the specification's rule needs velocity over its limit as well", () => {
  const history = [0.2, 0.2, 0.2, 0.2, 0.2];
  const rule = (velocityPeakPerMinute: number): boolean | undefined =>
    verdictOf([cpu(history, { velocityPeakPerMinute })]).findings[0]?.ruleFired;
  assert.equal(rule(0.04), false);
  assert.equal(rule(0.06), true);
  assert.equal(verdictOf([cpu(history)]).findings[0]?.ruleFired, false);
});

test('diverging is a steady trend that crosses the limit soon, and nothing less', () => {
  const trend = { trendPerMinute: 0.02, trendLevel: 0.05, trendSteadiness: 20 };
  const f = (more: Partial<Deviation>, status: string, newest = 0.05): void =>
    assert.equal(verdictOf([cpu([0, 0, 0, 0, newest], { ...trend, ...more })]).status, status);
  f({}, 'diverging');
  f({ trendSteadiness: 3 }, 'aligned');
  f({ trendPerMinute: -0.02, trendSteadiness: -20 }, 'aligned');
  f({ trendPerMinute: 0.005 }, 'aligned'); // In ten minutes.
  f({}, 'aligned', 0.01); // The newest has left the line.
  f({ production: 0.05 }, 'aligned'); // Its floor is 40 % of production: 17 minutes.
  const { sentence, findings, reason } = verdictOf([cpu([0, 0, 0, 0, 0.05], trend)]);
  assert.equal(reason, 'APPROACHING_LIMIT');
  assert.match(sentence, /grows by 2 % a minute; at this pace it crosses its limit in 3 min\.$/);
  assert.ok(Math.abs((findings[0]?.timeToLimitMs ?? 0) - 150_000) < 1e-6);
});

test('what forbids to judge is said, and no number can overrule it', () => {
  const loud = [cpu([1, 1, 1, 1, 1])];
  const f = (given: Parameters<typeof verdictOf>[1], reason: string, sentence: RegExp): void => {
    const verdict = verdictOf(loud, given);
    assert.deepEqual([verdict.status, verdict.reason], ['inconclusive', reason]);
    assert.match(verdict.sentence, sentence);
    assert.equal(learnsNoise(verdict, { hasDrift: false }), false);
  };
  f({ nowMs: 104_001 }, 'STALE', /have are 4 s old/);
  f({ commonCount: 4 }, 'TOO_FEW_SAMPLES', /only|4 cells of 1 s in common/);
  f({ load: { kind: 'unknown' } }, 'LOAD_UNKNOWN', /no load signal is reported by both/);
  f(
    { load: unlike },
    'LOAD_NOT_COMPARABLE',
    /^Not judged: production has 41 kB\/s, shadow 200 B\/s \(process_read_bytes_per_second\); the shadow does not carry production's load\.$/,
  );
});

test('no samples at all, nothing with a limit, and too few evaluations are inconclusive', () => {
  const { newestMs: _, ...silent } = { newestMs: 0, commonCount: 0 };
  const none = judge(
    { pair, stepMs: 1_000, load: { kind: 'unknown' }, deviations: [], ...silent },
    { limits, previous: undefined, nowMs: 0 },
  );
  assert.equal(none.reason, 'NO_SAMPLES');
  const unlimited = verdictOf([cpu([1, 1, 1, 1, 1], { observable: 'load_average_1m' })]);
  assert.deepEqual([unlimited.status, unlimited.reason], ['inconclusive', 'NOTHING_JUDGED']);
  assert.equal(unlimited.findings[0]?.limits, undefined);
  const few = verdictOf([cpu([NaN, NaN, NaN, 1, 1])]);
  assert.equal(few.reason, 'TOO_FEW_SAMPLES');
  assert.match(few.sentence, /cpu_used_ratio could be evaluated only 2 times of late/);
});

test('an observable that is not bound to load is judged though load differs, and bad goes over unknown', () => {
  const threads = (ratio: number): Deviation => ({
    ...cpu([ratio, ratio, ratio, ratio, ratio], { observable: 'process_threads', production: 20 }),
    distance: new Float64Array(5).fill(20 * ratio),
  });
  const loud = cpu([1, 1, 1, 1, 1]);
  assert.equal(verdictOf([loud, threads(2)], { load: unlike }).status, 'diverged');
  assert.equal(verdictOf([loud, threads(0)], { load: unlike }).status, 'inconclusive');
});

test('the noise floor learns only from aligned pairs under alike load without drift', () => {
  const aligned = verdictOf([cpu([0, 0, 0, 0, 0])]);
  assert.equal(learnsNoise(aligned, { hasDrift: false }), true);
  assert.equal(learnsNoise(aligned, { hasDrift: true }), false);
  assert.equal(learnsNoise({ ...aligned, load: unlike }, { hasDrift: false }), false);
  const diverged = verdictOf([cpu([1, 1, 1, 1, 1])]);
  assert.equal(learnsNoise(diverged, { hasDrift: false }), false);
});

test('the same numbers give the same verdict, with a sentence', () => {
  const cell = fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(fc.array(cell, { minLength: 5, maxLength: 20 }), (history) => {
      const verdict = verdictOf([cpu(history)]);
      assert.deepEqual(verdictOf([cpu(history)]), verdict);
      assert.ok(verdictStatuses.includes(verdict.status));
      assert.match(verdict.sentence, /\.$/);
    }),
  );
});
