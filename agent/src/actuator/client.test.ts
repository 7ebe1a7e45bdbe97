import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import type { Command, CommandId, HostId, Outcome } from '@foreshadow/model';
import { ANSWER_GRACE_MS, openActuatorClient } from './client.ts';
import { encodeFrame } from './frames.ts';
import { codeOf } from './lab.test.ts';

const command: Command = {
  id: 'cmd-0123456789ab' as CommandId, // Well-formed.
  host: 'shop' as HostId,
  order: { kind: 'mark-known-good' },
  isDryRun: false,
  requestedBy: 'a test',
  reason: 'because',
  timeLimitMs: 1_000,
};

/** A clock whose one timer fires when the test says so. */
function createHandClock() {
  const state = { fire: (): void => undefined, isCancelled: false, durationMs: 0 };
  const after = (durationMs: number, call: () => void) => {
    Object.assign(state, { fire: call, durationMs });
    return { cancel: () => void (state.isCancelled = true) };
  };
  return { state, after };
}

/** Sends the command to a server that does `serve` once the request is there. */
async function exchange(
  serve: (
    socket: Socket,
    hands: { readonly timeOut: () => void; readonly abort: () => void },
  ) => void,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-client-'));
  const socketPath = join(folder, 'actuator.sock');
  const clock = createHandClock();
  const stop = new AbortController();
  const server = createServer((socket) => {
    const hands = { timeOut: () => clock.state.fire(), abort: () => stop.abort() };
    socket.once('data', () => serve(socket, hands));
    socket.on('error', () => socket.destroy());
  });
  try {
    await once(server.listen(socketPath), 'listening');
    const client = openActuatorClient({ socketPath, clock, timeoutMs: 100 });
    const outcome = await client.execute(command, stop.signal);
    assert(clock.state.isCancelled);
    return outcome;
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

test('an actuator that is not there refuses, with the path and a hint', async () => {
  const socketPath = join(tmpdir(), 'foreshadow-nobody', 'actuator.sock');
  const client = openActuatorClient({ socketPath, clock: createHandClock(), timeoutMs: 100 });
  const outcome = await client.execute(command, new AbortController().signal);
  assert.equal(codeOf(outcome), 'ACTUATOR_UNREACHABLE');
  assert.match(outcome.sentence, /ENOENT at .*actuator\.sock; is foreshadow-actuator running/);
  assert.equal(codeOf(await client.execute(command, AbortSignal.abort())), 'ACTUATOR_UNREACHABLE');
});

test('a command that was sent and not answered is unknown, not failed', async () => {
  const f = async (...parameters: Parameters<typeof exchange>): Promise<void> => {
    const outcome = await exchange(...parameters);
    assert.equal(outcome.kind, 'unknown');
    assert.match(outcome.sentence, /send it again under the same id/);
  };
  await f((_socket, hands) => hands.timeOut());
  await f((_socket, hands) => hands.abort());
  await f((socket) => socket.end());
  await f((socket) => socket.destroy());
});

test('an answer that makes no sense is unknown', async () => {
  const f = async (answer: Uint8Array = Buffer.alloc(0)): Promise<void> => {
    assert.equal((await exchange((socket) => socket.end(answer))).kind, 'unknown');
  };
  await f(Buffer.from('nonsense'));
  await f(Buffer.from([0, 0, 0, 9, 1]));
  await f(encodeFrame({ kind: 'done' }));
  await f(encodeFrame({ kind: 'exploded', code: 'C', sentence: 's' }));
});

test('an answer comes back as it was sent, however it is cut', async () => {
  const outcome: Outcome = { kind: 'done', tookMs: 3, sentence: 'é', details: { a: 'b' } };
  const frame = encodeFrame(outcome) ?? Buffer.alloc(0);
  const answered = await exchange((socket) => {
    socket.write(frame.subarray(0, 9), () => socket.end(frame.subarray(9)));
  });
  assert.deepEqual(answered, outcome);
});

test('a command that is too large is not sent', async () => {
  const item = 'x'.repeat(70_000);
  const order = { kind: 'restore', item, expectedDigest: '', targetDigest: '' } as const;
  const options = { socketPath: '/nonexistent', clock: createHandClock(), timeoutMs: 100 };
  const client = openActuatorClient(options);
  const outcome = await client.execute({ ...command, order }, new AbortController().signal);
  assert.equal(codeOf(outcome), 'MESSAGE_TOO_LARGE');
});

test('an answer is waited for a little longer than the command may take, and no longer', async () => {
  const clock = createHandClock();
  const client = openActuatorClient({ socketPath: '/nonexistent', clock, timeoutMs: 600_000 });
  await client.execute(command, new AbortController().signal);
  assert.equal(clock.state.durationMs, command.timeLimitMs + ANSWER_GRACE_MS);
});
