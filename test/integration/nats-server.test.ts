// The controller's own nats-server as a real process: it comes back, and it never stays behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openNatsServer, type NatsServer } from '@foreshadow/controller/broker/index.ts';
import { systemClock, systemDisk } from '@foreshadow/runtime';
import { createKeptLog } from '../support/kept-log.ts';
import { findFreePort, isListening } from '../support/nats-process.ts';
import { natsServerPath } from '../support/nats-server-path.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 60_000 };

interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly lines: readonly string[];
  readonly open: (binary?: string) => Promise<NatsServer>;
}

async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'foreshadow-broker-'));
  const port = await findFreePort();
  const log = createKeptLog();
  return {
    folder,
    port,
    lines: log.lines,
    open: (binary = natsServerPath()) =>
      openNatsServer({
        binaries: [join(folder, 'absent'), binary],
        host: '127.0.0.1',
        port,
        folder,
        disk: systemDisk,
        clock: systemClock,
        random: () => 0,
        logger: log,
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH; nobody else's process has this number so soon.
  }
}
function processOf(server: NatsServer): number {
  assert.ok(server.processId !== undefined);
  return server.processId;
}

test(
  'the first program that is found is started, on loopback, with files of its own',
  LIMIT,
  async () => {
    await using place = await makePlace();
    await using server = await place.open();
    assert.equal(server.url, `nats://127.0.0.1:${place.port}`);
    assert.equal(await isListening(place.port), true);
    assert.equal(server.restartCount, 0);
    const { mode } = await stat(join(place.folder, 'nats-server.conf'));
    assert.equal(mode & 0o777, 0o600);
    const pid = await readFile(join(place.folder, 'nats-server.pid'), 'utf8');
    assert.equal(Number(pid), processOf(server));
  },
);

test('a server that is killed is started again, and the restart is counted', LIMIT, async () => {
  await using place = await makePlace();
  await using server = await place.open();
  for (let count = 1; count <= 2; count += 1) {
    const pid = processOf(server);
    process.kill(pid, 'SIGKILL');
    await until('another process', () => ![undefined, pid].includes(server.processId));
    await until('its port', () => isListening(place.port));
    assert.equal(server.restartCount, count);
    assert.ok(!isAlive(pid));
  }
});

test('closing ends the server and frees its port; closing twice is harmless', LIMIT, async () => {
  await using place = await makePlace();
  const server = await place.open();
  const pid = processOf(server);
  await server[Symbol.asyncDispose]();
  assert.ok(!isAlive(pid));
  assert.equal(await isListening(place.port), false);
  await server[Symbol.asyncDispose]();
  assert.equal(server.restartCount, 0);
});

test('closing while it is away starts no other', LIMIT, async () => {
  await using place = await makePlace();
  const server = await place.open();
  process.kill(processOf(server), 'SIGKILL');
  await until('its end', () => server.processId === undefined);
  await server[Symbol.asyncDispose]();
  assert.equal(server.restartCount, 1);
  assert.equal(await isListening(place.port), false);
});

test(
  'the server that a killed controller left behind is ended, and its port taken over',
  LIMIT,
  async () => {
    await using place = await makePlace();
    const first = await place.open();
    const orphan = processOf(first);
    // What a killed controller leaves: the process, its pid file, and nobody who waits for it.
    await using second = await place.open();
    assert.ok(!isAlive(orphan));
    assert.equal(await isListening(place.port), true);
    await first[Symbol.asyncDispose]();
    assert.ok(isAlive(processOf(second)));
    assert.ok(place.lines.some((line) => line.includes(`earlier run ${orphan}`)));
  },
);

test('a foreign process whose number stands in the pid file is left alone', LIMIT, async () => {
  await using place = await makePlace();
  const foreign = spawn('/bin/sleep', ['60']);
  try {
    await writeFile(join(place.folder, 'nats-server.pid'), `${foreign.pid}\n`);
    await using server = await place.open();
    assert.notEqual(server.processId, foreign.pid);
    assert.equal(foreign.exitCode, null);
    assert.ok(foreign.pid !== undefined && isAlive(foreign.pid));
  } finally {
    foreign.kill();
    await once(foreign, 'exit');
  }
});

test('a pid file with nonsense in it does no harm', LIMIT, async () => {
  await using place = await makePlace();
  for (const text of ['', 'x', '-1', '0', '1', '999999999']) {
    await writeFile(join(place.folder, 'nats-server.pid'), text);
    await using server = await place.open();
    assert.equal(await isListening(place.port), true, text);
    await server[Symbol.asyncDispose]();
  }
});

test(
  'a port that another program holds is PORT_IN_USE, and the program is left alone',
  LIMIT,
  async () => {
    await using place = await makePlace();
    const holder = spawn(natsServerPath(), ['-a', '127.0.0.1', '-p', String(place.port)]);
    try {
      await until('the other server', () => isListening(place.port));
      await assert.rejects(place.open(), {
        code: 'PORT_IN_USE',
        message: new RegExp(`:${place.port}`),
      });
      assert.equal(holder.exitCode, null);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
  },
);

test('a program that cannot be started for a while is tried until it can', LIMIT, async () => {
  await using place = await makePlace();
  const binary = join(place.folder, 'nats-server');
  await writeFile(binary, `#!/bin/sh\nexec ${natsServerPath()} "$@"\n`);
  await chmod(binary, 0o755);
  await using server = await place.open(binary);
  await rename(binary, `${binary}.away`);
  process.kill(processOf(server), 'SIGKILL');
  await until('failed attempts', () => server.restartCount >= 3);
  await rename(`${binary}.away`, binary);
  await until('its return', () => isListening(place.port));
});
