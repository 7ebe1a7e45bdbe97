// Programs that cannot start: each ends by itself, with exit code 1 and a sentence that says why.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { findFreePort, isListening, openNatsProcess } from '../support/nats-process.ts';
import { natsServerPath } from '../support/nats-server-path.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '..', '..');
const LIMIT = { timeout: 60_000 };
const STOP_MS_MAX = 5_000;
const KEY = '07'.repeat(32);

type Program = 'agent' | 'controller';
const mainOf = (program: Program): string => join(root, program, 'src/main.ts');

/** Runs it to its end. @returns what it said */
function start(program: Program, config: string): string {
  const { status, stderr } = spawnSync(process.execPath, [mainOf(program), '--config', config], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 1, stderr);
  assert.match(stderr, new RegExp(`^foreshadow-${program}: [A-Z][A-Z_]+: `, 'm'));
  assert.doesNotMatch(stderr, /^ +at /m, 'a sentence is no stack trace');
  return stderr;
}

interface Place extends AsyncDisposable {
  readonly path: string;
  /** Writes a configuration that is sound but for `change`. @returns its path */
  readonly agent: (change: object) => Promise<string>;
  readonly controller: (change: object) => Promise<string>;
}

async function makePlace(): Promise<Place> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'programs-'));
  const keyFile = join(folder.path, 'key');
  await writeFile(keyFile, KEY);
  const stateFolder = join(folder.path, 'state');
  const ports = { api: await findFreePort(), control: await findFreePort() };
  const brokerPort = await findFreePort();
  const write = async (name: string, config: object): Promise<string> => {
    const path = join(folder.path, name);
    await writeFile(path, JSON.stringify(config)); // YAML contains JSON.
    return path;
  };
  return {
    path: folder.path,
    agent: (change) =>
      write('agent.yaml', {
        host: 'web',
        role: 'shadow',
        stateFolder,
        controller: { address: `127.0.0.1:${ports.control}` },
        broker: { servers: [`nats://127.0.0.1:${brokerPort}`] },
        fingerprints: { keyFile, subjects: [] },
        ...change,
      }),
    controller: (change) =>
      write('controller.yaml', {
        stateFolder,
        api: { port: ports.api },
        control: { port: ports.control },
        broker: { port: brokerPort, binary: natsServerPath() },
        ...change,
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('a program without its configuration file says which one, and ends', LIMIT, async () => {
  await using place = await makePlace();
  for (const program of ['agent', 'controller'] as const) {
    assert.match(start(program, '/nowhere/a.yaml'), /CONFIG_UNREADABLE: \/nowhere\/a\.yaml/);
    assert.match(start(program, place.path), /CONFIG_UNREADABLE: .*programs-/, 'a folder');
  }
});

test('a wrong key is named with its file and the nearest known one', LIMIT, async () => {
  await using place = await makePlace();
  const agent = await place.agent({ sampling: { intervallMs: 1_000 } });
  assert.match(start('agent', agent), /CONFIG_INVALID: .*agent\.yaml.*intervallMs.*intervalMs/);
  const controller = await place.controller({ stateFoldr: '/x' });
  const said = start('controller', controller);
  assert.match(said, /CONFIG_INVALID: .*controller\.yaml.*stateFoldr.*stateFolder/);
});

test('text that is no configuration is refused with its place', LIMIT, async () => {
  await using place = await makePlace();
  for (const [program, text] of [
    ['agent', 'host: [web'],
    ['agent', '\u0000\u0001'],
    ['controller', 'api: 7'],
    ['controller', '- list'],
  ] as const) {
    const config = join(place.path, 'bad.yaml');
    await writeFile(config, text);
    assert.match(start(program, config), /CONFIG_INVALID: .*bad\.yaml/, text);
  }
});

test('an agent without the key of the fleet does not start', LIMIT, async () => {
  await using place = await makePlace();
  const keyFile = join(place.path, 'absent');
  const config = await place.agent({ fingerprints: { keyFile } });
  assert.match(start('agent', config), /FINGERPRINT_KEY_INVALID: .*cannot be read/);
  await writeFile(keyFile, '0123');
  assert.match(start('agent', config), /FINGERPRINT_KEY_INVALID: .*does not hold the key/);
});

test(
  'an agent does not dial another machine, and a controller does not listen for one',
  LIMIT,
  async () => {
    await using place = await makePlace();
    const changes = [
      { controller: { address: '192.0.2.1:7471' } },
      { controller: { address: 'example.org:7471' } },
      { broker: { servers: ['nats://127.0.0.1:7472', 'nats://192.0.2.1:7472'] } },
    ];
    for (const change of changes)
      assert.match(start('agent', await place.agent(change)), /NOT_LOOPBACK: .*(192|example)/);
    const binary = natsServerPath();
    for (const change of [
      { api: { host: '0.0.0.0' } },
      { control: { host: '::' } },
      { broker: { host: '192.0.2.1', binary } },
    ])
      assert.match(start('controller', await place.controller(change)), /NOT_LOOPBACK: /);
  },
);

test('a controller without a nats-server says where it was looked for', LIMIT, async () => {
  await using place = await makePlace();
  const config = await place.controller({ broker: { binary: '/nowhere/nats-server' } });
  assert.match(start('controller', config), /NATS_SERVER_MISSING: .*\/nowhere\/nats-server/);
});

test('a port that is taken is PORT_IN_USE, and nothing is left running', LIMIT, async () => {
  await using place = await makePlace();
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const broker = { port: await findFreePort(), binary: natsServerPath() };
  for (const change of [
    { api: { port } },
    { control: { port } },
    { broker: { ...broker, port } },
  ]) {
    const said = start('controller', await place.controller({ broker, ...change }));
    assert.match(said, new RegExp(`PORT_IN_USE: .*${port}`));
    assert.equal(await isListening(broker.port), false);
  }
  holder.close();
});

test('a broker without JetStream is refused by the controller', LIMIT, async () => {
  await using place = await makePlace();
  await using server = await openNatsProcess({ hasJetStream: false });
  const config = await place.controller({ broker: { url: server.url } });
  assert.match(start('controller', config), /JETSTREAM_UNAVAILABLE: /);
});

test(
  'a program whose broker and controller are away waits for them, and stops when told',
  LIMIT,
  async () => {
    await using place = await makePlace();
    const url = `nats://127.0.0.1:${await findFreePort()}`;
    const configs = {
      agent: await place.agent({}),
      controller: await place.controller({ broker: { url } }),
    };
    for (const program of ['agent', 'controller'] as const) {
      const child = spawn(process.execPath, [mainOf(program), '--config', configs[program]], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const exit = once(child, 'exit');
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
      await until('the search for a broker', () => said.includes('no broker yet') || undefined);
      const toldMs = performance.now();
      child.kill('SIGTERM');
      await exit;
      assert.ok(performance.now() - toldMs < STOP_MS_MAX, `${program} took too long`);
      assert.equal(child.signalCode, null);
    }
  },
);
