// The controller itself: is it well, what is it, what happens in it now.

import {
  conditionSchema,
  eventPageSchema,
  eventQuerySchema,
  noQuerySchema,
  versionSchema,
} from '@foreshadow/model';
import type { App } from './app.ts';
import type { ApiPorts } from './ports.ts';
import type { SelfMetrics } from './self-metrics.ts';

export function addServiceRoutes(
  app: App,
  options: {
    readonly ports: ApiPorts;
    readonly metrics: SelfMetrics;
    /** Aborts when the api closes, so that nobody waits on for events. */
    readonly stop: AbortSignal;
  },
): void {
  const { ports, metrics } = options;
  const conditions = { 200: conditionSchema, 503: conditionSchema };
  app.get(
    '/healthz',
    { schema: { querystring: noQuerySchema, response: conditions } },
    async (_request, reply) => {
      const health = ports.health();
      return reply.code(health.isOk ? 200 : 503).send(health);
    },
  );
  app.get(
    '/readyz',
    { schema: { querystring: noQuerySchema, response: conditions } },
    async (_request, reply) => {
      const readiness = ports.readiness();
      return reply.code(readiness.isOk ? 200 : 503).send(readiness);
    },
  );
  app.get(
    '/version',
    { schema: { querystring: noQuerySchema, response: { 200: versionSchema } } },
    async () => ports.version(),
  );
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text(ports.metrics())),
  );
  app.get(
    '/api/v1/events',
    { schema: { querystring: eventQuerySchema, response: { 200: eventPageSchema } } },
    async ({ query, signal }) => ports.events(query, AbortSignal.any([signal, options.stop])),
  );
}
