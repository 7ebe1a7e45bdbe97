// In: what one host reported. Out: its observables at the times of its own batches.
// Never: adds up an instance whose rate is not known, so a sum is whole or absent.

import { rateInto } from '@foreshadow/series';
import {
  observableNames,
  observables,
  type HostId,
  type InstanceSeries,
  type MetricName,
  type ObservableName,
  type RawWindow,
} from '@foreshadow/model';

/** `values[i]` belongs to `times[i]`; NaN where it could not be derived. */
export interface DerivedHost {
  readonly host: HostId;
  readonly intervalMs: number;
  readonly times: Float64Array;
  readonly values: ReadonlyMap<ObservableName, Float64Array>;
}

/** Copies what it needs: a raw window is valid only until the next one is read. */
export function deriveHost(raw: RawWindow): DerivedHost {
  const values = new Map<ObservableName, Float64Array>();
  for (const name of observableNames) {
    const derived = deriveObservable(raw, name);
    if (derived !== undefined) values.set(name, derived);
  }
  return { host: raw.host, intervalMs: raw.intervalMs, times: raw.times.slice(), values };
}

/** @returns absent when the host reported none of it in this window */
function deriveObservable(raw: RawWindow, name: ObservableName): Float64Array | undefined {
  const { form, of, per } = observables[name];
  const sum = sumInstances(raw, of, form);
  if (sum === undefined || per === undefined) return sum;
  const capacity = sumInstances(raw, per, 'level');
  if (capacity === undefined) return undefined;
  return sum.map((value, index) => {
    const divisor = capacity[index] ?? NaN;
    return divisor > 0 ? value / divisor : NaN;
  });
}

function sumInstances(
  raw: RawWindow,
  metric: MetricName,
  form: 'level' | 'rate',
): Float64Array | undefined {
  const instances = raw.series.get(metric);
  if (instances === undefined || instances.length === 0) return undefined;
  const sum = new Float64Array(raw.times.length);
  const reportedCounts = new Uint32Array(raw.times.length);
  for (const instance of instances) addInstance({ sum, reportedCounts }, raw, instance, form);
  let hasAny = false;
  for (let index = 0; index < sum.length; index += 1) {
    if (reportedCounts[index] === 0) sum[index] = NaN;
    else hasAny = true;
  }
  return hasAny ? sum : undefined;
}

/**
 * An instance that is reported but has no rate yet makes the sum NaN; one that is not reported
 * (gone) adds nothing.
 */
function addInstance(
  target: { readonly sum: Float64Array; readonly reportedCounts: Uint32Array },
  raw: RawWindow,
  instance: InstanceSeries,
  form: 'level' | 'rate',
): void {
  let { values } = instance;
  if (form === 'rate') {
    values = new Float64Array(raw.times.length);
    rateInto(values, raw.times, instance.values, raw.intervalMs);
  }
  for (let index = 0; index < values.length; index += 1) {
    if (!Number.isFinite(instance.values[index])) continue;
    target.sum[index] = (target.sum[index] ?? NaN) + (values[index] ?? NaN);
    target.reportedCounts[index] = (target.reportedCounts[index] ?? 0) + 1;
  }
}
