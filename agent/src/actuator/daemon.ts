// In: connections on a unix socket. Out: one outcome for each request, in order.
// Never: listens on a network, or serves a request of a stream that it no longer understands.

import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '@foreshadow/runtime';
import { makeFolder } from './durable.ts';
import { openExecutor, type Executor, type ExecutorOptions } from './executor.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { isRefusal, refuse, systemCode, FatalError, unlessMissing } from './refusal.ts';
import { parseRequest } from './request.ts';

export const CONNECTIONS_MAX = 16;
export const IDLE_TIMEOUT_MS = 30_000;

export interface ActuatorOptions extends ExecutorOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs' | 'after'>;
  /** Called when the socket takes connections. */
  readonly ready: () => void;
}

/**
 * Runs until the signal. @throws FatalError SOCKET_IN_USE, SOCKET_FOLDER_OPEN, and whatever makes
 * the state untrustworthy
 */
export async function runActuator(options: ActuatorOptions, signal: AbortSignal): Promise<void> {
  const { socket: path } = options.policy;
  const stop = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => stop.resolve(), { once: true });
  if (signal.aborted) return;
  await claimSocket(path);
  using executor = openExecutor(options);
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    // The peer is gone; its command has its outcome in the ledger.
    socket.on('error', () => socket.destroy());
    if (connections.size >= CONNECTIONS_MAX) {
      socket.write(frameOf(refuse('ACTUATOR_BUSY', 'too many connections; try again later')));
      socket.destroySoon();
      return;
    }
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serve({ socket, executor, clock: options.clock }).catch(stop.reject);
  });
  await listen(server, path);
  options.ready();
  try {
    await stop.promise;
  } finally {
    for (const socket of connections) socket.destroy();
    server.close(); // Removes the socket file.
  }
}

interface Serving {
  readonly socket: Socket;
  readonly executor: Executor;
  readonly clock: ActuatorOptions['clock'];
}

async function serve({ socket, executor, clock }: Serving): Promise<void> {
  const reader = new FrameReader();
  const idle = (): void => {
    socket.destroy(new Error('idle'));
  };
  let timer = clock.after(IDLE_TIMEOUT_MS, idle);
  try {
    for await (const chunk of socket) {
      timer.cancel();
      timer = clock.after(IDLE_TIMEOUT_MS, idle);
      reader.add(chunk as Buffer); // A socket without an encoding yields buffers.
      for (let next = reader.next(); next !== undefined; next = reader.next()) {
        if (isRefusal(next)) {
          socket.end(frameOf(next));
          await once(socket, 'finish');
          return;
        }
        const request = parseRequest(next.message);
        const outcome = isRefusal(request) ? request : executor.execute(request);
        if (!socket.write(frameOf(outcome))) await once(socket, 'drain');
      }
    }
  } catch (error) {
    // A broken connection ends this stream only; everything else ends the process.
    if (error !== socket.errored && systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    timer.cancel();
  }
}

function frameOf(outcome: unknown): Uint8Array {
  const frame = encodeFrame(outcome);
  if (frame === undefined) throw new TypeError('an outcome is larger than a message may be');
  return frame;
}

/** Makes the folder, and removes the socket of a dead process. */
async function claimSocket(path: string): Promise<void> {
  makeFolder(dirname(path));
  const folder = lstatSync(dirname(path));
  if (!folder.isDirectory() || (folder.mode & 0o077) !== 0) {
    throw new FatalError(
      'SOCKET_FOLDER_OPEN',
      `${dirname(path)} may be entered by others; chmod 700 it, or name another folder for the socket`,
    );
  }
  const found = unlessMissing(() => lstatSync(path));
  if (found === undefined) return;
  if (!found.isSocket() || (await isAnswered(path))) {
    throw new FatalError(
      'SOCKET_IN_USE',
      `${path} is in use; is another actuator running? Stop it first`,
    );
  }
  rmSync(path, { force: true });
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen({ path, readableAll: false, writableAll: false });
  await once(server, 'listening');
  chmodSync(path, 0o600);
}
