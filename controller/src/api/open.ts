// Opens the REST listener on a loopback address.

import type { AddressInfo } from 'node:net';
import { CodedError, codeOf, requireLoopback, type Clock, type Logger } from '@foreshadow/runtime';
import { createApp, guardMethods } from './app.ts';
import { addCommandRoutes } from './command-routes.ts';
import { addHostRoutes } from './host-routes.ts';
import { addIncidentRoutes } from './incident-routes.ts';
import { addPairRoutes } from './pair-routes.ts';
import type { ApiPorts } from './ports.ts';
import { createSelfMetrics } from './self-metrics.ts';
import { addServiceRoutes } from './service-routes.ts';

export const API_PORT_DEFAULT = 7470;

/** Disposing it ends waiting requests, lets running ones end, and frees the port. */
export interface Api extends AsyncDisposable {
  /** Such as `http://127.0.0.1:7470`. */
  readonly url: string;
  readonly port: number;
}

/**
 * @param options.port 0 for any free one
 * @throws CodedError NOT_LOOPBACK, PORT_IN_USE, LISTEN_FAILED
 */
export async function openApi(options: {
  readonly ports: ApiPorts;
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  readonly clock: Clock;
}): Promise<Api> {
  const { ports, clock, logger } = options;
  requireLoopback('api.host', options.host);
  const stop = new AbortController();
  const metrics = createSelfMetrics();
  const app = createApp({ logger, metrics });
  const refuseOtherMethods = guardMethods(app);
  addHostRoutes(app, { ports, clock });
  addPairRoutes(app, ports);
  addIncidentRoutes(app, ports);
  addCommandRoutes(app, { ports, clock });
  addServiceRoutes(app, { ports, metrics, stop: stop.signal });
  refuseOtherMethods();
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  try {
    await app.listen({ host, port: options.port });
  } catch (error) {
    await app.close();
    throw listenError(error, options);
  }
  const { port } = app.server.address() as AddressInfo; // A TCP listener's address is never a path.
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await app.close();
    },
  };
}

function listenError(
  cause: unknown,
  address: { readonly host: string; readonly port: number },
): CodedError {
  const where = `api: port ${address.port} of ${address.host}`;
  if (codeOf(cause) === 'EADDRINUSE') {
    return new CodedError(
      'PORT_IN_USE',
      `${where} is taken by another program; stop that program (ss -ltnp shows it), or set api.port to a free one`,
      { cause },
    );
  }
  return new CodedError(
    'LISTEN_FAILED',
    `${where} cannot be listened on; set api.host and api.port`,
    {
      cause,
    },
  );
}
