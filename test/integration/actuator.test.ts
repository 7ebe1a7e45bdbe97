// The actuator as a process of its own, over its real socket, on real files.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { openActuatorClient } from '@foreshadow/agent/actuator/index.ts';
import { fileContentDigest } from '@foreshadow/configuration';
import type { Command, CommandId, HostId, Order, Outcome } from '@foreshadow/model';
import { seededRandom, systemClock } from '@foreshadow/runtime';
import { until } from '../support/until.ts';

const program = fileURLToPath(import.meta.resolve('@foreshadow/agent/actuator/main.ts'));
const key = Buffer.alloc(32, 7);
const KILLS = 20;
const KILL_SPREAD_MS = 40;
const CONNECTIONS_MAX = 16;

interface Started {
  readonly process: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** Resolves with the line that says so; never when the process ends before. */
  readonly ready: Promise<string>;
}

class Place implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'foreshadow-actuator-')));
  readonly socketPath = join(this.folder, 'run', 'actuator.sock');
  readonly #started: Started[] = [];
  #commandCount = 0;

  constructor() {
    mkdirSync(this.path(''));
    this.writeKey(key.toString('hex'));
    this.writePolicy({});
  }

  path(name: string): string {
    return join(this.folder, 'real', name);
  }

  get live(): string {
    return readFileSync(this.path('service.json'), 'utf8');
  }

  set live(content: string) {
    writeFileSync(this.path('service.json'), content);
  }

  writeKey(text: string): void {
    writeFileSync(join(this.folder, 'key'), text, { mode: 0o600 });
  }

  writePolicy(change: object): void {
    const policy = {
      role: 'shadow',
      socket: this.socketPath,
      state: join(this.folder, 'state'),
      fingerprintKeyFile: join(this.folder, 'key'),
      restore: { paths: [{ path: join(this.folder, 'real'), as: '/etc/shop' }] },
      ...change,
    };
    writeFileSync(join(this.folder, 'policy.json'), JSON.stringify(policy), { mode: 0o600 });
  }

  start(parameters: readonly string[] = ['--policy', join(this.folder, 'policy.json')]): Started {
    const child = spawn(process.execPath, [program, ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
    const exit = once(child, 'close').then(() => ({ code: child.exitCode, stderr }));
    const ready = once(child.stdout, 'data').then(([chunk]) => String(chunk));
    const started = { process: child, exit, ready };
    this.#started.push(started);
    return started;
  }

  /** Starts and waits until the socket answers. @throws what stderr says when it ends instead */
  async up(): Promise<Started> {
    const started = this.start();
    const failed = started.exit.then(({ stderr }) => assert.fail(stderr));
    assert.equal(
      await Promise.race([started.ready, failed]),
      `foreshadow-actuator: ready on ${this.socketPath}\n`,
    );
    failed.catch(() => undefined); // Its end is the test's business from here on.
    return started;
  }

  async run(order: Order, how: { readonly id?: string } = {}): Promise<Outcome> {
    this.#commandCount += 1;
    const { socketPath } = this;
    const client = openActuatorClient({ socketPath, clock: systemClock, timeoutMs: 5_000 });
    const id = how.id ?? `cmd-${String(this.#commandCount).padStart(12, '0')}`;
    const command: Command = {
      id: id as CommandId, // Well-formed.
      host: 'shop-shadow' as HostId,
      order,
      isDryRun: false,
      requestedBy: 'a test',
      reason: 'because',
      timeLimitMs: 4_000,
    };
    return client.execute(command, new AbortController().signal);
  }

  restore(contents: { readonly live: string; readonly good: string }): Order {
    return {
      kind: 'restore',
      item: 'file:/etc/shop/service.json',
      expectedDigest: digestOf(contents.live),
      targetDigest: digestOf(contents.good),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process: child } of this.#started) child.kill('SIGKILL');
    await Promise.all(this.#started.map(async ({ exit }) => exit));
    rmSync(this.folder, { recursive: true });
  }
}

function digestOf(content: string): string {
  return fileContentDigest(key, Buffer.from(content));
}

function codeOf(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : outcome.kind;
}

/** Sends bytes and returns what comes back until the actuator closes, or so many answers came. */
async function send(
  place: Place,
  bytes: Uint8Array,
  messages = Infinity,
): Promise<readonly Outcome[]> {
  const socket = connect({ path: place.socketPath });
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  let received = Buffer.alloc(0);
  let found: readonly Outcome[] = [];
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]); // No encoding is set.
    found = framesIn(received);
    if (found.length >= messages) break;
  }
  return found;
}

function framesIn(bytes: Buffer): readonly Outcome[] {
  const found: Outcome[] = [];
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) break;
    found.push(JSON.parse(bytes.subarray(offset + 4, end).toString()) as Outcome);
    offset = end;
  }
  return found;
}

function frame(text: string, length = Buffer.byteLength(text)): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return Buffer.concat([head, Buffer.from(text)]);
}

const markText = (id: string): string =>
  `{"id":"${id}","isDryRun":false,"order":{"kind":"mark-known-good"},"timeLimitMs":4000}`;

test('mark, edit, restore, undo; then a stop that leaves no socket', async () => {
  await using place = new Place();
  const { process: child, exit } = await place.up();
  assert.equal(statSync(place.socketPath).mode & 0o777, 0o600);
  assert.equal(statSync(join(place.folder, 'run')).mode & 0o777, 0o700);
  place.live = 'good';
  assert.equal((await place.run({ kind: 'mark-known-good' })).kind, 'done');
  place.live = 'drifted';
  const id = 'cmd-aaaaaaaaaaaa';
  const order = place.restore({ live: 'drifted', good: 'good' });
  assert.equal((await place.run(order, { id })).kind, 'done');
  assert.equal(place.live, 'good');
  assert.equal((await place.run({ kind: 'undo', command: id as CommandId })).kind, 'done');
  assert.equal(place.live, 'drifted');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, { code: 0, stderr: '' });
  assert.equal(existsSync(place.socketPath), false);
  assert.equal(codeOf(await place.run(order)), 'ACTUATOR_UNREACHABLE');
});

test('of two restores at once exactly one is carried out', async () => {
  await using place = new Place();
  await place.up();
  place.live = 'good';
  await place.run({ kind: 'mark-known-good' });
  place.live = 'drifted';
  const order = place.restore({ live: 'drifted', good: 'good' });
  const outcomes = await Promise.all([place.run(order), place.run(order)]);
  assert.deepEqual(outcomes.map(codeOf).toSorted(), ['ALREADY_THERE', 'done']);
});

test('garbage ends its own connection and nothing else', async () => {
  await using place = new Place();
  const { process: child } = await place.up();
  place.live = 'good';
  const codes = async (bytes: Uint8Array): Promise<readonly string[]> =>
    (await send(place, bytes)).map(codeOf);
  assert.deepEqual(await codes(Buffer.from('GET / HTTP/1.1\r\n\r\n')), ['MESSAGE_TOO_LARGE']);
  assert.deepEqual(await codes(frame('x'.repeat(70_000))), ['MESSAGE_TOO_LARGE']);
  assert.deepEqual(await codes(frame('{"a" :1}')), ['MESSAGE_INVALID']);
  const truncated = connect({ path: place.socketPath });
  truncated.end(frame('{"a":1', 100));
  await once(truncated.resume(), 'close');
  const several = Buffer.concat([
    frame('{"a":1}'),
    frame(markText('cmd-aaaaaaaaaaaa')),
    frame(markText('cmd-bbbbbbbbbbbb').replace('mark-known-good', 'exec')),
  ]);
  const answers = await send(place, several, 3);
  assert.deepEqual(answers.map(codeOf), ['REQUEST_INVALID', 'done', 'REQUEST_INVALID']);
  assert.equal(child.exitCode, null);
});

test('connections are bounded, and a free place is taken again', async () => {
  await using place = new Place();
  await place.up();
  const idle = Array.from({ length: CONNECTIONS_MAX }, () => connect({ path: place.socketPath }));
  await Promise.all(idle.map(async (socket) => once(socket, 'connect')));
  await until('the refusal', async () =>
    codeOf(await place.run({ kind: 'mark-known-good' })) === 'ACTUATOR_BUSY' ? true : undefined,
  );
  for (const socket of idle) socket.destroy();
  // It hears of the closed sockets in its own time; until then it refuses, or closes on us.
  await until('a free place', async () => {
    const outcome = await place.run({ kind: 'mark-known-good' });
    return outcome.kind === 'refused' && outcome.code === 'NOTHING_TO_KEEP' ? true : undefined;
  });
});

test('a dead process leaves its socket to the next one; a living one does not', async () => {
  await using place = new Place();
  const first = await place.up();
  const second = await place.start().exit;
  assert.equal(second.code, 1);
  assert.match(second.stderr, /SOCKET_IN_USE: .*actuator\.sock is in use/);
  first.process.kill('SIGKILL');
  await first.exit;
  assert(existsSync(place.socketPath));
  assert.equal(codeOf(await place.run({ kind: 'mark-known-good' })), 'ACTUATOR_UNREACHABLE');
  await place.up();
  assert.equal(codeOf(await place.run({ kind: 'mark-known-good' })), 'NOTHING_TO_KEEP');
});

test('a policy can be checked without a start: it is printed complete, or refused', async () => {
  await using place = new Place();
  const flags = ['--check-policy', '--policy', join(place.folder, 'policy.json')];
  const checked = place.start(flags);
  const policy = JSON.parse(await checked.ready) as { restore: unknown }; // Any JSON.
  const paths = [{ path: join(place.folder, 'real'), as: '/etc/shop' }];
  assert.deepEqual(policy.restore, { enabled: true, bytesMax: 1024 ** 2, paths });
  assert.equal((await checked.exit).code, 0);
  assert.equal(existsSync(join(place.folder, 'state')), false);
  assert.equal(existsSync(place.socketPath), false);
  place.writeKey('no key');
  const { code, stderr } = await place.start(flags).exit;
  assert.equal(code, 2);
  assert.match(stderr, /^foreshadow-actuator: KEY_INVALID: /);
  assert.match(await place.start(['--version']).ready, /^foreshadow-actuator \d+\.\d+\.\d+\n$/);
});

test('a wrong start ends with one coded sentence', async () => {
  await using place = new Place();
  const policy = join(place.folder, 'policy.json');
  const f = async (code: string, exitCode: number, parameters?: readonly string[]) => {
    const ended = await place.start(parameters).exit;
    assert.match(ended.stderr, new RegExp(`^foreshadow-actuator: ${code}: [^\n]+\n$`));
    assert.equal(ended.code, exitCode, code);
  };
  await f('USAGE', 2, []);
  await f('USAGE', 2, ['--polcy', policy]);
  await f('FILE_UNREADABLE', 2, ['--policy', join(place.folder, 'none.json')]);
  place.writePolicy({ enabeld: true });
  await f('POLICY_INVALID', 2);
  place.writePolicy({});
  chmodSync(policy, 0o620);
  await f('FILE_NOT_SAFE', 2);
  chmodSync(policy, 0o600);
  place.writeKey('short');
  await f('KEY_INVALID', 2);
  place.writeKey(key.toString('hex'));
  mkdirSync(join(place.folder, 'run'), { mode: 0o755 });
  await f('SOCKET_FOLDER_OPEN', 1);
});

test(`after ${KILLS} kills at random moments the file is entirely old or new`, async (context) => {
  await using place = new Place();
  const random = seededRandom(1);
  const contents = ['a'.repeat(20_000), 'b'.repeat(20_000)];
  const other = (live: string): string => contents.find((content) => content !== live) ?? '';
  let isMarked = false;
  let pending: { readonly id: string; readonly order: Order; readonly was: string } | undefined;
  const resolved: Record<string, number> = {};
  for (let round = 0; round <= KILLS; round += 1) {
    const { process: child, exit } = await place.up();
    for (const content of isMarked ? [] : contents) {
      place.live = content;
      assert.equal((await place.run({ kind: 'mark-known-good' })).kind, 'done');
    }
    isMarked = true;
    assert.deepEqual(readdirSync(place.path('')), ['service.json'], 'no temporary is left');
    if (pending !== undefined) {
      const outcome = await place.run(pending.order, pending);
      const code = codeOf(outcome);
      resolved[code] = (resolved[code] ?? 0) + 1;
      assert.equal(place.live, code === 'done' ? other(pending.was) : pending.was, code);
    }
    if (round === KILLS) break;
    const kill = sleep(random() * KILL_SPREAD_MS).then(() => child.kill('SIGKILL'));
    for (let count = 0, isUp = true; isUp; count += 1) {
      const was = place.live;
      const id = `cmd-f${round.toString(16).padStart(3, '0')}${count.toString(16).padStart(8, '0')}`;
      pending = { id, order: place.restore({ live: was, good: other(was) }), was };
      isUp = (await place.run(pending.order, pending)).kind === 'done';
    }
    await kill;
    await exit;
    assert(contents.includes(place.live), 'a mixture');
  }
  context.diagnostic(`interrupted commands, sent again: ${JSON.stringify(resolved)}`);
});
