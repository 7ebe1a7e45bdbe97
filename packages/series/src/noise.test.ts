import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NoiseFloor } from '@foreshadow/model';
import { NOISE_POINTS_MIN, noiseExcess, noiseUpper, updateNoise } from './noise.ts';

function learn(deviations: readonly number[]): NoiseFloor | undefined {
  return deviations.reduce<NoiseFloor | undefined>(updateNoise, undefined);
}

const regular = (length: number): number[] =>
  Array.from({ length }, (_, index) => 0.05 + (index % 2 === 0 ? 0.01 : -0.01));

test('a floor is not used before it is learned', () => {
  const young = learn(regular(NOISE_POINTS_MIN - 1));
  assert.equal(noiseUpper(young), undefined);
  assert.equal(noiseExcess(young, 1), undefined);
  assert.equal(noiseUpper(undefined), undefined);
  assert.notEqual(noiseUpper(learn(regular(NOISE_POINTS_MIN))), undefined);
});

test('centre and spread of regular noise are found', () => {
  const noise = learn(regular(1_000));
  assert.ok(noise !== undefined);
  assert.ok(Math.abs(noise.center - 0.05) < 0.001);
  assert.ok(Math.abs(noise.spread - 0.0125) < 0.001);
  assert.ok(Math.abs((noiseExcess(noise, 0.1) ?? 0) - 4) < 0.4);
});

test('one wild value hardly moves the floor, and an absent one not at all', () => {
  const noise = learn(regular(500));
  assert.ok(noise !== undefined);
  assert.ok(Math.abs(updateNoise(noise, 1_000).center - noise.center) < 0.001);
  assert.deepEqual(updateNoise(noise, NaN), noise);
  assert.deepEqual(updateNoise(undefined, NaN), { center: 0, spread: 0, n: 0 });
});

test('a floor learned on silence can grow again', () => {
  const noise = learn([...Array.from({ length: 500 }, () => 0), ...regular(2_000)]);
  assert.ok(noise !== undefined && noise.spread > 0.008);
});

test('a floor is finite and its spread not negative, whatever it is fed', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e9 }), { minLength: 1 }), (deviations) => {
      const noise = learn(deviations);
      return noise !== undefined && Number.isFinite(noise.center) && noise.spread >= 0;
    }),
  );
});
