// What is known of pairs: verdict, deviation, drift.

import {
  deviationAnswerSchema,
  driftSchema,
  pageQuerySchema,
  pageSchema,
  pairParamsSchema,
  pairStateSchema,
  verdictSchema,
  type Deviation,
  type DeviationAnswer,
  type PairDeviation,
  type PairId,
  type PairState,
} from '@foreshadow/model';
import type { App } from './app.ts';
import { pageOf } from './pages.ts';
import type { ApiPorts } from './ports.ts';
import { Refusal, notFound } from './problems.ts';

export function addPairRoutes(app: App, ports: ApiPorts): void {
  app.get(
    '/api/v1/pairs',
    { schema: { querystring: pageQuerySchema, response: { 200: pageSchema(pairStateSchema) } } },
    async ({ query }) =>
      pageOf(await ports.pairs(), { keyOf: ({ pair }) => pair.id, order: 'ascending', query }),
  );
  app.get(
    '/api/v1/pairs/:id',
    { schema: { params: pairParamsSchema, response: { 200: pairStateSchema } } },
    async ({ params }) => knownPair(ports, params.id),
  );
  app.get(
    '/api/v1/pairs/:id/verdict',
    { schema: { params: pairParamsSchema, response: { 200: verdictSchema } } },
    async ({ params }) => {
      const { verdict } = await knownPair(ports, params.id);
      if (verdict === undefined) throw notYet(params.id);
      return verdict;
    },
  );
  app.get(
    '/api/v1/pairs/:id/deviation',
    { schema: { params: pairParamsSchema, response: { 200: deviationAnswerSchema } } },
    async ({ params }) => {
      await knownPair(ports, params.id);
      const deviation = await ports.deviation(params.id);
      if (deviation === undefined) throw notYet(params.id);
      return answerOf(deviation);
    },
  );
  app.get(
    '/api/v1/pairs/:id/drift',
    {
      schema: {
        params: pairParamsSchema,
        querystring: pageQuerySchema,
        response: { 200: pageSchema(driftSchema) },
      },
    },
    async ({ params, query }) => {
      await knownPair(ports, params.id);
      const drifts = await ports.drifts(params.id);
      return pageOf(drifts, { keyOf: (drift) => drift.item, order: 'ascending', query });
    },
  );
}

async function knownPair(ports: ApiPorts, id: PairId): Promise<PairState> {
  const state = await ports.pair(id);
  if (state !== undefined) return state;
  throw notFound(
    'pair',
    id,
    (await ports.pairs()).map(({ pair }) => pair.id),
  );
}

function notYet(id: PairId): Refusal {
  return new Refusal({
    status: 404,
    code: 'NOT_YET_EVALUATED',
    detail: `${id} has not been evaluated yet; the first verdict comes with both hosts' first samples`,
  });
}

function answerOf(measured: PairDeviation): DeviationAnswer {
  const { stepMs, newestMs, commonCount, load } = measured;
  return {
    pair: measured.pair.id,
    stepMs,
    ...(newestMs !== undefined && { newestMs }),
    commonCount,
    load,
    deviations: measured.deviations.map((deviation) => historyOf(deviation, { newestMs, stepMs })),
  };
}

/** A cell is dated by its end. */
function historyOf(
  deviation: Deviation,
  grid: { readonly newestMs: number | undefined; readonly stepMs: number },
): DeviationAnswer['deviations'][number] {
  const { history, distance: _, ...numbers } = deviation;
  const timesMs: number[] = [];
  const values: number[] = [];
  for (const [index, value] of history.entries()) {
    if (Number.isNaN(value) || grid.newestMs === undefined) continue;
    timesMs.push(grid.newestMs - (history.length - 1 - index) * grid.stepMs);
    values.push(value);
  }
  return { ...numbers, timesMs, values };
}
