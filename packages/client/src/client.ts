// One method for each resource, over fetch.

import type {
  CommandBody,
  CommandId,
  CommandRecord,
  Condition,
  DeviationAnswer,
  Drift,
  EventPage,
  FingerprintSubject,
  HostId,
  HostRecord,
  Incident,
  IncidentId,
  IncidentStory,
  KnownGoodBody,
  MetricName,
  Page,
  PairId,
  PairState,
  Problem,
  SeriesAnswer,
  TrackedItem,
  Verdict,
  VersionAnswer,
} from '@foreshadow/model';
import { CodedError, codeOf, describeError, type Clock } from '@foreshadow/runtime';

export const CLIENT_TIMEOUT_MS = 15_000;
export const RESPONSE_BYTES_MAX = 32 * 1024 * 1024;

interface Paging {
  readonly limit?: number;
  readonly cursor?: string;
}
/** Repeating a call with the same key repeats its answer, not the command. */
export interface CommandCall {
  readonly idempotencyKey: string;
}

/**
 * Every method throws CodedError: CONTROLLER_UNREACHABLE, REQUEST_TIMEOUT, RESPONSE_TOO_LARGE,
 * RESPONSE_INVALID,
 * or with the code and detail of the controller's problem, which `problemOf` gives whole.
 * Once `signal` is aborted, its reason.
 */
export interface Client {
  readonly url: string;
  hosts(query?: Paging): Promise<Page<HostRecord>>;
  host(id: HostId): Promise<HostRecord>;
  series(
    id: HostId,
    query: {
      readonly metric: MetricName;
      readonly instance?: string;
      readonly startMs?: number;
      readonly endMs?: number;
      readonly pointsMax?: number;
    },
  ): Promise<SeriesAnswer>;
  fingerprints(
    id: HostId,
    query?: Paging & { readonly subject?: FingerprintSubject },
  ): Promise<Page<TrackedItem>>;
  markKnownGood(
    id: HostId,
    body: Omit<KnownGoodBody, 'requestedBy'> & Partial<KnownGoodBody>,
    call: CommandCall,
  ): Promise<CommandRecord>;
  pairs(query?: Paging): Promise<Page<PairState>>;
  pair(id: PairId): Promise<PairState>;
  verdict(id: PairId): Promise<Verdict>;
  deviation(id: PairId): Promise<DeviationAnswer>;
  drifts(id: PairId, query?: Paging): Promise<Page<Drift>>;
  incidents(
    query?: Paging & { readonly state?: Incident['state']; readonly pair?: PairId },
  ): Promise<Page<Incident>>;
  incident(id: IncidentId): Promise<IncidentStory>;
  commands(query?: Paging): Promise<Page<CommandRecord>>;
  command(id: CommandId): Promise<CommandRecord>;
  requestCommand(body: CommandBody, call: CommandCall): Promise<CommandRecord>;
  events(query: {
    readonly after: number;
    readonly limit?: number;
    readonly waitMs?: number;
  }): Promise<EventPage>;
  health(): Promise<Condition>;
  readiness(): Promise<Condition>;
  version(): Promise<VersionAnswer>;
}

export interface ClientOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
  /** Of one request; `events` waits that much longer than it asks the controller to. */
  readonly timeoutMs?: number;
  /** Ends whatever is under way. */
  readonly signal?: AbortSignal;
}

/** @throws CodedError URL_INVALID */
export function createClient(options: ClientOptions): Client {
  const base = baseOf(options.url);
  const get = async <Body>(path: string, query: object = {}): Promise<Body> =>
    request<Body>(options, { method: 'GET', url: urlOf(base, path, query) });
  const post = async (path: string, body: object, call: CommandCall): Promise<CommandRecord> =>
    request<CommandRecord>(options, {
      method: 'POST',
      url: urlOf(base, path, {}),
      body,
      headers: { 'idempotency-key': call.idempotencyKey },
    });
  return {
    url: base,
    hosts: async (query) => get('/api/v1/hosts', query),
    host: async (id) => get(`/api/v1/hosts/${id}`),
    series: async (id, query) => get(`/api/v1/hosts/${id}/series`, query),
    fingerprints: async (id, query) => get(`/api/v1/hosts/${id}/fingerprints`, query),
    markKnownGood: async (id, body, call) => post(`/api/v1/hosts/${id}/known-good`, body, call),
    pairs: async (query) => get('/api/v1/pairs', query),
    pair: async (id) => get(`/api/v1/pairs/${id}`),
    verdict: async (id) => get(`/api/v1/pairs/${id}/verdict`),
    deviation: async (id) => get(`/api/v1/pairs/${id}/deviation`),
    drifts: async (id, query) => get(`/api/v1/pairs/${id}/drift`, query),
    incidents: async (query) => get('/api/v1/incidents', query),
    incident: async (id) => get(`/api/v1/incidents/${id}`),
    commands: async (query) => get('/api/v1/commands', query),
    command: async (id) => get(`/api/v1/commands/${id}`),
    requestCommand: async (body, call) => post('/api/v1/commands', body, call),
    events: async (query) =>
      request(
        { ...options, timeoutMs: (options.timeoutMs ?? CLIENT_TIMEOUT_MS) + (query.waitMs ?? 0) },
        { method: 'GET', url: urlOf(base, '/api/v1/events', query) },
      ),
    health: async () => get('/healthz'),
    readiness: async () => get('/readyz'),
    version: async () => get('/version'),
  };
}

/** @returns the controller's problem when the error carries one */
export function problemOf(error: unknown): Problem | undefined {
  return error instanceof CodedError && isProblem(error.cause) ? error.cause : undefined;
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol))
    return parsed.href.replace(/\/+$/, '');
  throw new CodedError(
    'URL_INVALID',
    `${url} is not the URL of a controller; give one such as http://127.0.0.1:7470`,
  );
}

function urlOf(base: string, path: string, query: object): string {
  const url = new URL(base + path);
  // Queries are made of text and numbers only.
  for (const [name, value] of Object.entries(query) as [string, string | number | undefined][]) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function request<Body>(options: ClientOptions, call: Call): Promise<Body> {
  const { signal } = options;
  const timeoutMs = options.timeoutMs ?? CLIENT_TIMEOUT_MS;
  const timeout = new AbortController();
  const timer = options.clock.after(timeoutMs, () => timeout.abort());
  try {
    const response = await (options.fetch ?? fetch)(call.url, {
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(call.body !== undefined && { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      redirect: 'error',
      signal: signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]),
    });
    const body = parseBody(await readText(response), call);
    if (isProblem(body)) throw new CodedError(body.code, body.detail, { cause: body });
    // A condition that does not hold is 503 and still an answer. The controller checks shapes;
    // additive fields pass.
    if (response.ok || 'isOk' in body) return body as Body;
    throw responseInvalid(call, `status ${response.status} without a problem`);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof CodedError) throw error;
    if (timeout.signal.aborted) throw timedOut(call, timeoutMs, error);
    throw unreachable(call, error);
  } finally {
    timer.cancel();
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > RESPONSE_BYTES_MAX) {
      throw new CodedError(
        'RESPONSE_TOO_LARGE',
        `the answer of ${response.url} exceeds ${RESPONSE_BYTES_MAX} bytes; ask for less with a limit`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string, call: Call): object {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw responseInvalid(call, 'not JSON', cause);
  }
  if (typeof body === 'object' && body !== null) return body;
  throw responseInvalid(call, 'not an object');
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    typeof body.code === 'string' &&
    'detail' in body &&
    typeof body.detail === 'string' &&
    'status' in body &&
    typeof body.status === 'number'
  );
}

function responseInvalid(call: Call, what: string, cause?: unknown): CodedError {
  return new CodedError(
    'RESPONSE_INVALID',
    `${call.url} gave an answer that is no controller's (${what}); is the URL right?`,
    { cause },
  );
}

function timedOut(call: Call, timeoutMs: number, cause: unknown): CodedError {
  return new CodedError(
    'REQUEST_TIMEOUT',
    `${call.url} did not answer within ${timeoutMs} ms; is the controller overloaded?`,
    { cause },
  );
}

function unreachable(call: Call, cause: unknown): CodedError {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const why = codeOf(inner) === 'UNEXPECTED' ? describeError(inner) : codeOf(inner);
  return new CodedError(
    'CONTROLLER_UNREACHABLE',
    `no controller answers at ${new URL(call.url).origin} (${why})`,
    { cause },
  );
}
