import { test } from 'node:test';
import assert from 'node:assert/strict';
import { metricNameOf, metricNames, metrics } from './metrics.ts';
import { loadSignals, observableNames, observables, parseObservableName } from './observables.ts';

test('each metric travels by its own number, 1 to 1023', () => {
  const ids = metricNames.map((name) => metrics[name].id);
  assert.equal(new Set(ids).size, ids.length);
  assert(ids.every((id) => Number.isInteger(id) && id >= 1 && id <= 1_023));
  for (const name of metricNames) assert.equal(metricNameOf(metrics[name].id), name);
  assert.equal(metricNameOf(1_023), undefined);
});

test('the name of a metric tells its kind and its unit', () => {
  for (const name of metricNames) {
    const { kind, unit, resolution, meaning } = metrics[name];
    assert.equal(name.endsWith('_total'), kind === 'counter', name);
    const stem = name.replace(/_total$/, '');
    if (unit === 'seconds' || unit === 'bytes') assert(stem.endsWith(`_${unit}`), name);
    assert(resolution > 0, name);
    assert.match(meaning, /^[A-Z].*\.$/, name);
  }
});

test('a level is made of gauges and a rate of a counter; a capacity is a gauge', () => {
  for (const name of observableNames) {
    const { form, of, per, unit, floor } = observables[name];
    assert.equal(metrics[of].kind, form === 'rate' ? 'counter' : 'gauge', name);
    if (per !== undefined) assert.equal(metrics[per].kind, 'gauge', name);
    assert.equal(per !== undefined, unit === 'ratio', name);
    assert.equal(form === 'rate' && per === undefined, unit.endsWith('/second'), name);
    assert(floor > 0, name);
  }
});

test('load signals follow the traffic and are observables', () => {
  for (const name of loadSignals) assert.equal(observables[name].loadBound, true, name);
});

test('only names of the catalogue are observables', () => {
  assert.equal(parseObservableName('cpu_used_ratio'), 'cpu_used_ratio');
  for (const bad of ['cpu', 'toString', '__proto__', '', undefined])
    assert.equal(parseObservableName(bad), undefined);
});
