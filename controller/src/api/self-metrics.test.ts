// Proves that the exposition says what was reported and nothing that was not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSelfMetrics } from './self-metrics.ts';

test('a metric without samples and a value that is no number are left out', async () => {
  const metrics = createSelfMetrics();
  const text = await metrics.text([
    { name: 'foreshadow_a', kind: 'gauge', meaning: 'A.', samples: [] },
    { name: 'foreshadow_b', kind: 'gauge', meaning: 'B.', samples: [{ value: Number.NaN }] },
    { name: 'foreshadow_c_total', kind: 'counter', meaning: 'C.', samples: [{ value: 2 }] },
  ]);
  assert.doesNotMatch(text, /foreshadow_[ab]\b/);
  assert.match(text, /^foreshadow_c_total 2$/m);
});

test('requests are timed by route, method and status', async () => {
  const metrics = createSelfMetrics();
  metrics.requestEnded({ route: '/version', method: 'GET', status: 200, tookMs: 3 });
  assert.match(
    await metrics.text([]),
    /duration_seconds_count\{route="\/version",method="GET",status="200"\} 1/,
  );
});
