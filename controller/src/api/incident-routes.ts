// The stories of pairs, newest first.

import {
  incidentParamsSchema,
  incidentQuerySchema,
  incidentSchema,
  incidentStorySchema,
  pageSchema,
  type Incident,
} from '@foreshadow/model';
import type { App } from './app.ts';
import { pageOf, timeKey } from './pages.ts';
import type { ApiPorts } from './ports.ts';
import { notFound } from './problems.ts';

export function addIncidentRoutes(app: App, ports: ApiPorts): void {
  app.get(
    '/api/v1/incidents',
    {
      schema: { querystring: incidentQuerySchema, response: { 200: pageSchema(incidentSchema) } },
    },
    async ({ query }) => {
      const wanted = (await ports.incidents()).filter(
        (incident) =>
          (query.state === undefined || incident.state === query.state) &&
          (query.pair === undefined || incident.pair === query.pair),
      );
      return pageOf(wanted, { keyOf, order: 'descending', query });
    },
  );
  app.get(
    '/api/v1/incidents/:id',
    { schema: { params: incidentParamsSchema, response: { 200: incidentStorySchema } } },
    async ({ params }) => {
      const story = await ports.incident(params.id);
      if (story !== undefined) return story;
      throw notFound(
        'incident',
        params.id,
        (await ports.incidents()).map(({ id }) => id),
      );
    },
  );
}

function keyOf(incident: Incident): string {
  return timeKey(incident.openedMs, incident.id);
}
