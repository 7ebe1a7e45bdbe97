// In: programs that are no nats-server. Out: proof of the clear answers to that.
// Never: needs a nats-server; test/integration has one.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { seededRandom, systemClock, systemDisk, type Logger } from '@foreshadow/runtime';
import { openNatsServer, type NatsServer } from './nats-server.ts';

const silent = (): void => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

interface Attempt {
  readonly folder: string;
  readonly binaries: readonly string[];
  readonly host?: string;
  readonly port?: number;
}

async function open({ host = '127.0.0.1', port = 1, ...rest }: Attempt): Promise<NatsServer> {
  const around = { disk: systemDisk, clock: systemClock, random: seededRandom(1), logger };
  return openNatsServer({ host, port, ...rest, ...around });
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // A TCP listener's address is never a path.
  server.close();
  await once(server, 'close');
  return port;
}

test('without a program the answer names where it was looked for, and what to do', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'broker-'));
  const binaries = [join(folder.path, 'absent'), join(folder.path, 'absent/below')];
  await assert.rejects(open({ folder: folder.path, binaries }), {
    code: 'NATS_SERVER_MISSING',
    message: /absent, .*below; install it .* set broker\.binary, or set broker\.url/,
  });
});

test('another address than loopback is refused before anything is started', async () => {
  const attempt = { folder: '/nowhere', binaries: [], host: '0.0.0.0' };
  await assert.rejects(open(attempt), { code: 'NOT_LOOPBACK' });
});

test('a port that is taken is named', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'broker-'));
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // As above.
  const attempt = { folder: folder.path, binaries: ['/bin/false'], port };
  await assert.rejects(open(attempt), {
    code: 'PORT_IN_USE',
    message: new RegExp(String(port)),
  });
  server.close();
});

test('a program that ends at once is no server, and its configuration stays to be read', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'broker-'));
  const port = await freePort();
  const attempt = { folder: folder.path, binaries: ['/bin/false'], port };
  await assert.rejects(open(attempt), { code: 'NATS_SERVER_NOT_READY' });
  const written = await readFile(join(folder.path, 'nats-server.conf'), 'utf8');
  assert.match(written, new RegExp(`^listen: "127\\.0\\.0\\.1:${port}"$`, 'm'));
});
