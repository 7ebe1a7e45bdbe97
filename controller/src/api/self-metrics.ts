// The controller's numbers about itself, in the text that Prometheus scrapes. Owner of prom-client.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { SelfMetric } from './ports.ts';

const REQUEST_SECONDS_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

export interface SelfMetrics {
  readonly contentType: string;
  requestEnded(request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly tookMs: number;
  }): void;
  text(metrics: readonly SelfMetric[]): Promise<string>;
}

/** Beside what it is given: Node's own metrics and those of the requests served. */
export function createSelfMetrics(): SelfMetrics {
  const own = new Registry();
  collectDefaultMetrics({ register: own });
  const requests = new Histogram({
    name: 'foreshadow_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['route', 'method', 'status'],
    buckets: REQUEST_SECONDS_BUCKETS,
    registers: [own],
  });
  return {
    contentType: own.contentType,
    requestEnded: ({ route, method, status, tookMs }) =>
      requests.observe({ route, method, status }, tookMs / 1_000),
    text: async (metrics) => `${await own.metrics()}\n${await textOf(metrics)}`,
  };
}

/** A registry for each scrape: what is no longer reported is gone, not zero. */
async function textOf(metrics: readonly SelfMetric[]): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) {
    const samples = metric.samples.filter(({ value }) => Number.isFinite(value));
    const [first] = samples;
    if (first === undefined) continue;
    const shape = {
      name: metric.name,
      help: metric.meaning,
      labelNames: Object.keys(first.labels ?? {}),
      registers: [registry],
    };
    if (metric.kind === 'counter') {
      const counter = new Counter(shape);
      for (const { labels, value } of samples) counter.inc(labels ?? {}, value);
    } else {
      const gauge = new Gauge(shape);
      for (const { labels, value } of samples) gauge.set(labels ?? {}, value);
    }
  }
  return registry.metrics();
}
