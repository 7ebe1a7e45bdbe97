// In: a host, units that measure it and a clock. Out: the readings and unit reports of each tick.
// Never: starts a unit again while its last run has not ended, or takes readings from it after its
// time limit.

import {
  READINGS_PER_BATCH_MAX,
  type Host,
  type MetricName,
  type Reading,
  type UnitReport,
} from '@foreshadow/model';
import { codeOf, type Clock } from '@foreshadow/runtime';

/**
 * That a unit is done is reported this often, and at once when it was not done before; failures are
 * reported each tick.
 */
export const DONE_REPORTS_EVERY_MS = 60_000;

/**
 * What measures something; collectors have this shape. Only a unit that must wait returns a
 * promise; one that does not cannot be cut short, only timed.
 */
export interface SampledUnit {
  readonly name: string;
  collect(
    host: Host,
    report: (metric: MetricName, value: number, instance?: string) => void,
    signal: AbortSignal,
  ): void | Promise<void>;
}

export interface SamplerOptions {
  readonly host: Host;
  readonly collectors: readonly SampledUnit[];
  readonly clock: Clock;
  /**
   * How long the units of one tick, which run at once, may keep it waiting; less than the sampling
   * interval.
   */
  readonly unitTimeLimitMs: number;
}

export interface Tick {
  /**
   * At most READINGS_PER_BATCH_MAX, all finite. Those of a unit that failed or hangs are what it
   * reported in time.
   */
  readonly readings: Reading[];
  readonly units: UnitReport[];
}

export interface Sampler {
  /** Ends when all units ended, at their time limit, or when the signal aborts. One at a time. */
  tick(signal: AbortSignal): Promise<Tick>;
}

/**
 * One unit and its run; made once, so that a tick makes neither closures nor promises for units
 * that do not wait.
 */
interface Run {
  readonly unit: SampledUnit;
  readonly report: (metric: MetricName, value: number, instance?: string) => void;
  /** Where readings go; absent when nobody waits for them any more. */
  sink: Reading[] | undefined;
  startedMs: number;
  endedMs: number;
  errorCode: string | undefined;
  /** The run that has not ended yet; settles without an error. */
  pending: Promise<void> | undefined;
  lastResult: UnitReport['result'] | undefined;
}

export function createSampler(options: SamplerOptions): Sampler {
  const { host, clock, unitTimeLimitMs } = options;
  const runs = options.collectors.map(createRun);
  let doneReportedMs = Number.NEGATIVE_INFINITY;
  return {
    async tick(signal) {
      const readings: Reading[] = [];
      for (const run of runs)
        if (run.pending === undefined) start({ run, readings, host, clock }, signal);
      const waitedFor = runs.flatMap((run) =>
        run.sink !== undefined && run.pending !== undefined ? [run.pending] : [],
      );
      if (waitedFor.length > 0)
        await settled(waitedFor, { clock, limitMs: unitTimeLimitMs }, signal);

      const nowMs = clock.monotonicMs();
      const isDoneDue = nowMs - doneReportedMs >= DONE_REPORTS_EVERY_MS;
      if (isDoneDue) doneReportedMs = nowMs;
      const units: UnitReport[] = [];
      for (const run of runs) {
        run.sink = undefined;
        const report = reportOf(run, nowMs);
        if (report.result !== 'done' || isDoneDue || run.lastResult !== 'done') units.push(report);
        run.lastResult = report.result;
      }
      return { readings, units };
    },
  };
}

function createRun(unit: SampledUnit): Run {
  const run: Run = {
    unit,
    report(metric, value, instance) {
      if (run.sink === undefined) return; // Late: the tick that asked is over.
      if (!Number.isFinite(value)) run.errorCode ??= 'READING_NOT_FINITE';
      else if (run.sink.length >= READINGS_PER_BATCH_MAX) run.errorCode ??= 'READINGS_OVER_BOUND';
      else run.sink.push(instance === undefined ? { metric, value } : { metric, instance, value });
    },
    sink: undefined,
    startedMs: 0,
    endedMs: 0,
    errorCode: undefined,
    pending: undefined,
    lastResult: undefined,
  };
  return run;
}

function start(
  { run, readings, host, clock }: { run: Run; readings: Reading[]; host: Host; clock: Clock },
  signal: AbortSignal,
): void {
  run.sink = readings;
  run.errorCode = undefined;
  run.startedMs = clock.monotonicMs();
  const end = (): void => {
    run.pending = undefined;
    run.endedMs = clock.monotonicMs();
  };
  const fail = (error: unknown): void => {
    run.errorCode = codeOf(error);
    end();
  };
  try {
    const promise = run.unit.collect(host, run.report, signal);
    if (promise === undefined) end();
    else run.pending = promise.then(end, fail);
  } catch (error) {
    fail(error);
  }
}

/** Waits for all, at most as long as the limit, or until the signal aborts. */
async function settled(
  pending: readonly Promise<void>[],
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  const stop = (): void => over.resolve();
  const timer = clock.after(limitMs, stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await Promise.race([Promise.all(pending), over.promise]);
  signal.removeEventListener('abort', stop);
  timer.cancel();
}

function reportOf(run: Run, nowMs: number): UnitReport {
  const unit = run.unit.name;
  if (run.pending !== undefined)
    return {
      unit,
      result: 'hanging',
      durationMs: nowMs - run.startedMs,
      errorCode: 'UNIT_HANGING',
    };
  const durationMs = run.endedMs - run.startedMs;
  return run.errorCode === undefined
    ? { unit, result: 'done', durationMs }
    : { unit, result: 'failed', durationMs, errorCode: run.errorCode };
}
