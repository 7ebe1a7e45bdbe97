// What is known of hosts: records, raw series, fingerprints.

import {
  fingerprintQuerySchema,
  hostParamsSchema,
  hostRecordSchema,
  metrics,
  pageQuerySchema,
  pageSchema,
  seriesQuerySchema,
  seriesSchema,
  trackedItemSchema,
  type HostId,
  type HostRecord,
  type InstanceSeries,
  type SeriesAnswer,
} from '@foreshadow/model';
import type { Clock } from '@foreshadow/runtime';
import type { App } from './app.ts';
import { pageOf } from './pages.ts';
import type { ApiPorts } from './ports.ts';
import { Refusal, notFound } from './problems.ts';

export const SERIES_SPAN_DEFAULT_MS = 10 * 60_000;

export function addHostRoutes(
  app: App,
  { ports, clock }: { readonly ports: ApiPorts; readonly clock: Clock },
): void {
  app.get(
    '/api/v1/hosts',
    { schema: { querystring: pageQuerySchema, response: { 200: pageSchema(hostRecordSchema) } } },
    async ({ query }) =>
      pageOf(await ports.hosts(), { keyOf: (host) => host.id, order: 'ascending', query }),
  );
  app.get(
    '/api/v1/hosts/:id',
    { schema: { params: hostParamsSchema, response: { 200: hostRecordSchema } } },
    async ({ params }) => knownHost(ports, params.id),
  );
  app.get(
    '/api/v1/hosts/:id/series',
    {
      schema: {
        params: hostParamsSchema,
        querystring: seriesQuerySchema,
        response: { 200: seriesSchema },
      },
    },
    async ({ params, query }): Promise<SeriesAnswer> => {
      await knownHost(ports, params.id);
      const endMs = query.endMs ?? clock.nowMs();
      const startMs = query.startMs ?? endMs - SERIES_SPAN_DEFAULT_MS;
      if (startMs >= endMs) throw spanInvalid();
      const { metric, instance, pointsMax } = query;
      const found = await ports.series(params.id, { metric, startMs, endMs });
      const wanted = found.series.filter(
        (series) => instance === undefined || series.instance === instance,
      );
      return {
        host: params.id,
        metric,
        kind: metrics[metric].kind,
        unit: metrics[metric].unit,
        series: wanted.map((series) => thinned(found.times, series, pointsMax)),
      };
    },
  );
  app.get(
    '/api/v1/hosts/:id/fingerprints',
    {
      schema: {
        params: hostParamsSchema,
        querystring: fingerprintQuerySchema,
        response: { 200: pageSchema(trackedItemSchema) },
      },
    },
    async ({ params, query }) => {
      await knownHost(ports, params.id);
      const items = await ports.fingerprints(params.id);
      const { subject } = query;
      const wanted =
        subject === undefined ? items : items.filter(({ key }) => key.startsWith(`${subject}:`));
      return pageOf(wanted, { keyOf: (item) => item.key, order: 'ascending', query });
    },
  );
}

/** @throws Refusal NOT_FOUND naming the nearest known host */
export async function knownHost(ports: ApiPorts, id: HostId): Promise<HostRecord> {
  const host = await ports.host(id);
  if (host !== undefined) return host;
  throw notFound(
    'host',
    id,
    (await ports.hosts()).map((known) => known.id),
  );
}

/**
 * Leaves out what is absent, then keeps the newest point of each of at most `pointsMax` equal
 * groups.
 */
export function thinned(
  times: Float64Array,
  series: InstanceSeries,
  pointsMax: number,
): SeriesAnswer['series'][number] {
  const { instance, values } = series;
  const present: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    if (!Number.isNaN(values[index])) present.push(index);
  }
  const groupSize = Math.max(1, Math.ceil(present.length / pointsMax));
  const kept = present.filter((_, position) => (present.length - 1 - position) % groupSize === 0);
  return {
    ...(instance !== undefined && { instance }),
    timesMs: kept.map((index) => times[index] ?? Number.NaN),
    values: kept.map((index) => values[index] ?? Number.NaN),
  };
}

function spanInvalid(): Refusal {
  return new Refusal({
    status: 400,
    code: 'REQUEST_INVALID',
    detail: 'query: startMs must be before endMs',
    errors: [{ pointer: '#/query/startMs', detail: 'must be before endMs' }],
  });
}
