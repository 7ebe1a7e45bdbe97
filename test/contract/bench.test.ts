import { test } from 'node:test';
import assert from 'node:assert/strict';
import { resultOf } from '../bench/bench.ts';
import { benches } from '../bench/index.ts';

const fixed = { id: 'perf.x', measure: 'a', unit: 's' };

test('a result is the median of its runs, with their spread', () => {
  assert.deepEqual(resultOf(fixed, [3, 1, 2], 2), {
    ...fixed,
    target: '<= 2',
    value: 2,
    holds: true,
    n: 3,
    spread: [1, 3],
  });
  assert.deepEqual(resultOf(fixed, [1, 2]), { ...fixed, value: 1.5, n: 2, spread: [1, 2] });
});

test('without a run there is no value, and the target does not hold', () => {
  assert.deepEqual(resultOf(fixed, [], 2), { ...fixed, target: '<= 2', n: 0 });
});

test('each bench and each id has a name of its own', () => {
  const names = [...benches.map(({ name }) => name), ...benches.flatMap(({ ids }) => ids)];
  assert.equal(new Set(names).size, names.length);
  for (const id of benches.flatMap(({ ids }) => ids)) assert.match(id, /^(?:perf|fc)\.\w+$/);
});
