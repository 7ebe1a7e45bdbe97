// The fastify application without its routes: limits, validation, one error handler. Owner of
// fastify.

import {
  fastify,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyTypeProvider,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { Socket } from 'node:net';
import type { Static, TSchema } from '@foreshadow/model';
import {
  describeError,
  isLoopback,
  nearest,
  newIdentifier,
  type Logger,
} from '@foreshadow/runtime';
import { PROBLEM_CONTENT_TYPE, Refusal, problemOf } from './problems.ts';
import type { SelfMetrics } from './self-metrics.ts';
import { compileValidator } from './validation.ts';

export const BODY_BYTES_MAX = 64 * 1024;
export const PARAM_LENGTH_MAX = 256;
export const REQUEST_TIMEOUT_MS = 10_000;
export const KEEP_ALIVE_TIMEOUT_MS = 5_000;
export const CONNECTIONS_MAX = 256;

/** Gives handlers the static types of their schemas. */
interface SchemaTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>;

export function createApp(options: {
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
}): App {
  const answerError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error, { id: request.id, path: pathOf(request) });
    if (problem.status >= 500) {
      options.logger.error('request failed', {
        request: request.id,
        route: request.routeOptions.url,
        reason: describeError(error),
      });
    }
    void reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(JSON.stringify(problem));
  };
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: false },
    genReqId: () => newIdentifier('req'),
    frameworkErrors: answerError,
    clientErrorHandler: answerBrokenHttp,
  }).withTypeProvider<SchemaTypes>();
  app.server.maxConnections = CONNECTIONS_MAX;
  // What a foreign web page could post without asking first.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileValidator);
  // Response schemas describe and are tested; they never rewrite an answer.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply));
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    requireLoopbackName(request.headers.host ?? '');
  });
  app.addHook('onResponse', async (request, reply) => {
    options.metrics.requestEnded({
      route: request.routeOptions.url ?? 'none',
      method: request.method,
      status: reply.statusCode,
      tookMs: reply.elapsedTime,
    });
  });
  return app;
}

/**
 * Call it before the routes are added, and the result after: every other method of a known path
 * answers 405.
 */
export function guardMethods(app: App): () => void {
  const methodsByPath = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPath.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByPath.set(url, methods);
  });
  return () => {
    const paths = [...methodsByPath.keys()];
    for (const [url, methods] of methodsByPath) {
      const allowed = [...methods].toSorted();
      app.route({
        method: OTHER_METHODS.filter((method) => !methods.has(method)),
        url,
        onRequest: async (_request, reply) => {
          void reply.header('allow', allowed.join(', '));
          throw methodNotAllowed(allowed);
        },
        handler: async () => undefined,
      });
    }
    app.setNotFoundHandler(async (request) => {
      throw routeNotFound(pathOf(request), paths);
    });
  };
}

const OTHER_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function methodNotAllowed(allowed: readonly string[]): Refusal {
  return new Refusal({
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    detail: `this path takes ${allowed.join(', ')} only`,
  });
}

function routeNotFound(path: string, paths: readonly string[]): Refusal {
  const close = nearest(path, paths);
  const hint = close === undefined ? 'lists begin with /api/v1/hosts' : `did you mean ${close}?`;
  return new Refusal({
    status: 404,
    code: 'ROUTE_NOT_FOUND',
    detail: `there is nothing at ${path}; ${hint}`,
  });
}

/**
 * A web page that has its name resolve to this machine must not reach the API through a browser.
 */
function requireLoopbackName(host: string): void {
  const url = `http://${host}`;
  if (URL.canParse(url) && isLoopback(new URL(url).hostname)) return;
  throw new Refusal({
    status: 421,
    code: 'HOST_REFUSED',
    detail: 'without identities this API answers to localhost, 127.0.0.1 and [::1] only',
  });
}

const PATH_SHOWN_MAX = 512;

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').replace(/\?.*$/s, '').slice(0, PATH_SHOWN_MAX);
}

/** For what is not HTTP at all; there is no request to hand to a handler. */
function answerBrokenHttp(_error: Error, socket: Socket): void {
  const refusal = new Refusal({
    status: 400,
    code: 'HTTP_INVALID',
    detail: 'this is not HTTP/1.1',
  });
  const body = JSON.stringify(problemOf(refusal, { id: newIdentifier('req'), path: '' }));
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_CONTENT_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}
