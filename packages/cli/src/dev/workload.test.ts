// Facts about the service's configuration: only a whole and bounded one is taken.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SERVICE_CONFIG } from './layout.ts';
import { parseServiceConfig } from './workload.ts';

test('what foreshadow dev writes is a configuration', () => {
  assert.deepEqual(parseServiceConfig(JSON.stringify(SERVICE_CONFIG)), SERVICE_CONFIG);
});

test('other keys are passed over', () => {
  const config = { hashRounds: 1, cacheMegabytes: 1 };
  assert.deepEqual(parseServiceConfig(JSON.stringify({ ...config, colour: 'red' })), config);
});

test('half a file, or a number out of its bounds, is refused', () => {
  const good = { hashRounds: 10, cacheMegabytes: 10 };
  for (const wrong of [0, -1, 1.5, 1e9, '10', null, Number.NaN]) {
    for (const key of Object.keys(good))
      assert.throws(
        () => parseServiceConfig(JSON.stringify({ ...good, [key]: wrong })),
        Error,
        key,
      );
  }
  const text = JSON.stringify(good);
  for (let length = 0; length < text.length; length += 1)
    assert.throws(() => parseServiceConfig(text.slice(0, length)));
  for (const other of ['null', '7', '[]', '"x"']) assert.throws(() => parseServiceConfig(other));
});

test('any JSON is either refused or within the bounds', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        const { hashRounds, cacheMegabytes } = parseServiceConfig(text);
        assert.ok(hashRounds >= 1 && cacheMegabytes >= 1);
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof TypeError));
      }
    }),
  );
});
