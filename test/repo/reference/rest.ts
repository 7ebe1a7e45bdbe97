// In: the routes that the controller registers. Out: docs/reference/rest.md.
// Never: listens, or calls a handler.

import { strict as assert } from 'node:assert';
import { createApp } from '@foreshadow/controller/api/app.ts';
import { addCommandRoutes } from '@foreshadow/controller/api/command-routes.ts';
import { addHostRoutes } from '@foreshadow/controller/api/host-routes.ts';
import { addIncidentRoutes } from '@foreshadow/controller/api/incident-routes.ts';
import { addPairRoutes } from '@foreshadow/controller/api/pair-routes.ts';
import type { ApiPorts } from '@foreshadow/controller/api/index.ts';
import { createSelfMetrics } from '@foreshadow/controller/api/self-metrics.ts';
import { addServiceRoutes } from '@foreshadow/controller/api/service-routes.ts';
import * as model from '@foreshadow/model';
import { systemClock } from '@foreshadow/runtime';
import { NOTHING, code, table } from './table.ts';

const silent = (): void => undefined;

interface Route {
  readonly method: string;
  readonly path: string;
  readonly schema: {
    readonly querystring?: unknown;
    readonly body?: unknown;
    readonly response?: unknown;
  };
}

const meanings: Readonly<Record<string, string>> = {
  'GET /api/v1/hosts': 'All hosts that have ever reported, by name.',
  'GET /api/v1/hosts/:id': 'One host.',
  'GET /api/v1/hosts/:id/series': 'What one metric was; the last ten minutes without a span.',
  'GET /api/v1/hosts/:id/fingerprints': 'The tracked items of a host, by key.',
  'GET /api/v1/pairs': 'All pairs with verdict and number of drifts.',
  'GET /api/v1/pairs/:id': 'One pair.',
  'GET /api/v1/pairs/:id/verdict': 'Its newest verdict, with all numbers.',
  'GET /api/v1/pairs/:id/deviation': 'How its deviations went over the judged span.',
  'GET /api/v1/pairs/:id/drift': 'What differs in configuration, by item.',
  'GET /api/v1/incidents': 'Incidents, newest first.',
  'GET /api/v1/incidents/:id': 'One incident with its ledger, oldest record first.',
  'GET /api/v1/commands': 'Commands and what became of them, newest first.',
  'GET /api/v1/commands/:id': 'One command.',
  'POST /api/v1/commands': 'Restore a file, or undo a restore; 202 while the host is at it.',
  'POST /api/v1/hosts/:id/known-good': 'Keep what the host has now as known-good.',
  'GET /api/v1/events': 'Events since `after`; with `waitMs` it waits for the next one.',
  'GET /healthz': '200 while the process works, 503 otherwise.',
  'GET /readyz': '200 while it can do its job, 503 otherwise.',
  'GET /version': 'Version, Node and start.',
  'GET /metrics': 'What the controller tells of itself, in the format of Prometheus.',
};

/** The routes as fastify has them. */
export async function registeredRoutes(): Promise<readonly Route[]> {
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const metrics = createSelfMetrics();
  const app = createApp({ logger, metrics });
  const routes: Route[] = [];
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const name of [method].flat())
      if (name !== 'HEAD') routes.push({ method: name, path: url, schema: schema ?? {} });
  });
  // Routes ask them when they are called, and nobody calls.
  const ports = {} as ApiPorts;
  addHostRoutes(app, { ports, clock: systemClock });
  addPairRoutes(app, ports);
  addIncidentRoutes(app, ports);
  addCommandRoutes(app, { ports, clock: systemClock });
  addServiceRoutes(app, { ports, metrics, stop: new AbortController().signal });
  await app.close();
  return routes;
}

const names = new Map<unknown, string>(
  Object.entries(model)
    .filter(([name]) => name.endsWith('Schema'))
    .map(([name, schema]) => [schema, name.charAt(0).toUpperCase() + name.slice(1, -6)]),
);

function answerOf(schema: unknown): string {
  if (schema === undefined) return 'text';
  const name = names.get(schema);
  if (name !== undefined) return code(name);
  const items = propertiesOf(schema)['items']; // As pageSchema makes them.
  const item = names.get(
    typeof items === 'object' && items !== null && 'items' in items ? items.items : undefined,
  );
  assert.ok(item !== undefined, 'an answer that has no name in the model');
  return `page of ${code(item)}`;
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  // Every object schema has them.
  return (schema as { readonly properties?: Record<string, unknown> }).properties ?? {};
}

/** Names of fields; those in bold must be given. */
function fieldsOf(schema: unknown): string {
  if (schema === undefined) return NOTHING;
  const { required = [] } = schema as { readonly required?: readonly string[] };
  const fields = Object.entries(propertiesOf(schema)).map(([name, field]) => {
    const isOptional =
      !required.includes(name) ||
      (typeof field === 'object' && field !== null && 'default' in field);
    return isOptional ? code(name) : `**${code(name)}**`;
  });
  return fields.length === 0 ? NOTHING : fields.join(', ');
}

function rowOf({ method, path, schema }: Route): readonly string[] {
  const meaning = meanings[`${method} ${path}`];
  assert.ok(meaning !== undefined, `${method} ${path}: say what it does in reference/rest.ts`);
  const { response } = schema;
  const good =
    typeof response === 'object' && response !== null && '200' in response
      ? response['200']
      : undefined;
  return [
    method,
    code(path),
    fieldsOf(method === 'POST' ? schema.body : schema.querystring),
    answerOf(good),
    meaning,
  ];
}

/** The whole page. */
export async function restPage(): Promise<string> {
  const routes = await registeredRoutes();
  assert.equal(routes.length, Object.keys(meanings).length, 'a route is gone; remove its sentence');
  return [
    '# REST',
    '',
    'Made by `node test/repo/write.ts --rest` from the routes that the controller registers. It listens on `api.host` and `api.port`,',
    'loopback only, and answers to loopback names only. Types are those of `packages/model`; the schemas are in `packages/model/src/schemas.ts` and `rest.ts`.',
    '',
    'Bodies are `application/json`. A page has `items` and, unless it is the last, `nextCursor`; ask on with `cursor`. An answer that is no',
    'success is a problem of RFC 9457 with a code of [errors](errors.md). `POST` takes an `Idempotency-Key`: the same key with the same',
    'body is answered from memory and does nothing twice.',
    '',
    ...table(['method', 'path', 'query or body', 'answer', 'what'], routes.map(rowOf)),
    '',
  ].join('\n');
}
