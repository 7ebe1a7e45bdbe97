// In: nothing. Out: a store in a temporary folder, and batches to put into it.
// Never: looks into the store.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@foreshadow/controller/store/index.ts';
import {
  parseBootId,
  parseHostId,
  type AcceptedBatch,
  type Batch,
  type BootId,
  type FingerprintChange,
} from '@foreshadow/model';
import { createLogger, systemClock, type Clock } from '@foreshadow/runtime';
import { decodeBatch, encodeBatch } from '@foreshadow/wire';

export const NOW_MS = 1_800_000_000_000;
export const clock: Clock = { ...systemClock, nowMs: () => NOW_MS };
export const host = required(parseHostId('web-1'));
export const boot = bootOf(1);

export function required<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}
export function bootOf(number: number): BootId {
  return required(parseBootId(number.toString(16).padStart(16, '0')));
}

/** A folder that goes when the test ends. */
export async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'foreshadow-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function open(path: string, lines: string[] = [], ringPoints = 720): Promise<Store> {
  const write = (line: string): number => lines.push(line);
  const logger = createLogger({ program: 'test', level: 'debug', format: 'json', clock, write });
  return openStore({ path, clock, logger, retentionHours: 72, ringPoints, decode: decodeBatch });
}

export function accept(sequence: number, fields: Partial<Batch> = {}): AcceptedBatch {
  const batch: Batch = {
    host,
    boot,
    sequence,
    wallMs: NOW_MS + sequence * 1_000,
    monotonicMs: sequence * 1_000,
    intervalMs: 1_000,
    readings: [{ metric: 'tasks', value: sequence }],
    events: [],
    units: [],
    gaps: [],
    ...fields,
  };
  return { batch, bytes: encodeBatch(batch) };
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function present(name: string, digest: number): FingerprintChange {
  const digestText = digest.toString(16).padStart(32, '0');
  return { kind: 'present', item: { subject: 'file', name, digest: digestText, facts: {} } };
}
