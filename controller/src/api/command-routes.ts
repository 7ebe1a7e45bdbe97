// What may be asked of a host, and what became of it. The only routes that change anything.

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import {
  commandBodySchema,
  commandParamsSchema,
  commandRecordSchema,
  hostParamsSchema,
  knownGoodBodySchema,
  pageQuerySchema,
  pageSchema,
  type CommandBody,
  type CommandId,
  type CommandRecord,
} from '@foreshadow/model';
import { CodedError, type Clock } from '@foreshadow/runtime';
import type { App } from './app.ts';
import { knownHost } from './host-routes.ts';
import { createOnce } from './idempotency.ts';
import { pageOf, timeKey } from './pages.ts';
import type { ApiPorts, CommandRequest } from './ports.ts';
import { Refusal, notFound } from './problems.ts';

const answers = { 200: commandRecordSchema, 202: commandRecordSchema };

export function addCommandRoutes(
  app: App,
  { ports, clock }: { readonly ports: ApiPorts; readonly clock: Clock },
): void {
  const once = createOnce(clock);
  const send = async (
    request: CommandRequest,
    key: string | undefined,
    reply: FastifyReply,
  ): Promise<CommandRecord> => {
    await knownHost(ports, request.host);
    const asked = key === undefined ? request : { ...request, idempotencyKey: key };
    const record = await once(key, request, async () => requested(ports, asked));
    void reply
      .code(record.state === 'ended' ? 200 : 202)
      .header('location', `/api/v1/commands/${record.command.id}`);
    return record;
  };

  app.get(
    '/api/v1/commands',
    {
      schema: { querystring: pageQuerySchema, response: { 200: pageSchema(commandRecordSchema) } },
    },
    async ({ query }) => {
      return pageOf(await ports.commands(), { keyOf, order: 'descending', query });
    },
  );
  app.get(
    '/api/v1/commands/:id',
    { schema: { params: commandParamsSchema, response: { 200: commandRecordSchema } } },
    async ({ params }) => knownCommand(ports, params.id),
  );
  app.post(
    '/api/v1/commands',
    { schema: { body: commandBodySchema, response: answers } },
    async ({ body, headers }, reply) => {
      await checkUndo(ports, body);
      return send(body, keyOfHeaders(headers), reply);
    },
  );
  app.post(
    '/api/v1/hosts/:id/known-good',
    { schema: { params: hostParamsSchema, body: knownGoodBodySchema, response: answers } },
    async ({ params, body, headers }, reply) => {
      const order = { kind: 'mark-known-good' } as const;
      const request = { host: params.id, order, isDryRun: false, ...body };
      return send(request, keyOfHeaders(headers), reply);
    },
  );
}

function keyOf(record: CommandRecord): string {
  return timeKey(record.sentMs, record.command.id);
}

async function requested(ports: ApiPorts, request: CommandRequest): Promise<CommandRecord> {
  try {
    return await ports.requestCommand(request);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const status = error.code === 'IDEMPOTENCY_KEY_REUSED' ? 422 : 409;
    throw new Refusal({ status, code: error.code, detail: error.message, cause: error });
  }
}

async function knownCommand(ports: ApiPorts, id: CommandId): Promise<CommandRecord> {
  const record = await ports.command(id);
  if (record !== undefined) return record;
  throw notFound(
    'command',
    id,
    (await ports.commands()).map(({ command }) => command.id),
  );
}

/** The host that undoes must be the one that did. */
async function checkUndo(ports: ApiPorts, body: CommandBody): Promise<void> {
  if (body.order.kind !== 'undo') return;
  const { command } = await knownCommand(ports, body.order.command);
  if (command.host === body.host) return;
  throw new Refusal({
    status: 422,
    code: 'COMMAND_OF_OTHER_HOST',
    detail: `${command.id} was a command for ${command.host}, not for ${body.host}`,
  });
}

function keyOfHeaders(headers: IncomingHttpHeaders): string | undefined {
  return [headers['idempotency-key']].flat().join(',') || undefined;
}
