// In: a configuration file.
// Out: a small real HTTP service whose CPU and memory use follow that file.
// Never: is part of the product: `foreshadow dev` starts it twice, as production and as shadow, to
// have something to watch.

import { pbkdf2Sync } from 'node:crypto';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, dirname } from 'node:path';

interface ServiceConfig {
  /** Rounds of key derivation a request: CPU. */
  readonly hashRounds: number;
  /** Size of the cache that is kept filled: memory. */
  readonly cacheMegabytes: number;
}

const ROUNDS_MAX = 2_000_000;
const CACHE_MEGABYTES_MAX = 1_024;
const MEGABYTE = 1024 * 1024;

/**
 * @throws Error for a file that is not such a configuration; the service then keeps the one it has
 */
export function parseServiceConfig(text: string): ServiceConfig {
  const value: unknown = JSON.parse(text);
  // Checked in the next lines.
  const { hashRounds, cacheMegabytes } = (value ?? {}) as Partial<ServiceConfig>;
  if (!isWithin(hashRounds, ROUNDS_MAX) || !isWithin(cacheMegabytes, CACHE_MEGABYTES_MAX)) {
    throw new Error(
      `hashRounds must be 1 to ${ROUNDS_MAX}, cacheMegabytes 1 to ${CACHE_MEGABYTES_MAX}`,
    );
  }
  return { hashRounds, cacheMegabytes };
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
}

/** Serves `GET /order/<id>` on a loopback port until the process is ended. */
export function startService(options: {
  readonly configPath: string;
  readonly port: number;
  readonly pidFile: string;
}): void {
  let config = parseServiceConfig(readFileSync(options.configPath, 'utf8'));
  let cache = fillCache(config);
  const reload = (): void => {
    try {
      const next = parseServiceConfig(readFileSync(options.configPath, 'utf8'));
      if (next.cacheMegabytes !== config.cacheMegabytes) cache = fillCache(next);
      config = next;
    } catch (error) {
      // A file that is half written or wrong: keep what runs; the next change is read again.
      process.stderr.write(`service: keeping the old configuration: ${String(error)}\n`);
    }
  };
  watch(dirname(options.configPath), (_event, name) => {
    if (name === basename(options.configPath)) reload();
  });
  const server = createServer((request, response) => {
    const order = request.url ?? '';
    const signature = pbkdf2Sync(order, 'order', config.hashRounds, 32, 'sha256').toString('hex');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ order, signature, cachedBytes: cache.length }));
  });
  server.keepAliveTimeout = 60_000;
  server.listen({ host: '127.0.0.1', port: options.port }, () =>
    writeFileSync(options.pidFile, `${process.pid}\n`),
  );
}

/** Touches every page, so that the memory is really used. */
function fillCache(config: ServiceConfig): Buffer {
  return Buffer.alloc(config.cacheMegabytes * MEGABYTE, 1);
}
