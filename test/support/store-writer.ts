// A program of its own for test/integration/store.test.ts: appends to a store until it is killed.
// Prints the last sequence of each commit once `append` has resolved; `error CODE` when it throws.

import { writeSync } from 'node:fs';
import { openStore } from '@foreshadow/controller/store/index.ts';
import { parseBootId, parseHostId, type AcceptedBatch, type Batch } from '@foreshadow/model';
import { codeOf, createLogger, seededRandom, systemClock } from '@foreshadow/runtime';
import { decodeBatch, encodeBatch } from '@foreshadow/wire';

const BATCHES_PER_COMMIT_MAX = 8;
const STDOUT = 1;

async function main(): Promise<void> {
  const [path = '', bootText, startText = '0'] = process.argv.slice(2);
  const host = parseHostId('web-1');
  const boot = parseBootId(bootText);
  if (host === undefined || boot === undefined) throw new TypeError('store-writer PATH BOOT START');
  const logger = createLogger({
    program: 'store-writer',
    level: 'warn',
    format: 'text',
    clock: systemClock,
    write: (line) => process.stderr.write(line),
  });
  const store = await openStore({
    path,
    clock: systemClock,
    logger,
    retentionHours: 24,
    decode: decodeBatch,
  });
  const random = seededRandom(Number(startText));
  const accept = (sequence: number): AcceptedBatch => {
    const times = { wallMs: Number(startText) + sequence, monotonicMs: 1, intervalMs: 1_000 };
    const readings = [{ metric: 'tasks', value: sequence } as const];
    const lists = { readings, events: [], units: [], gaps: [] };
    const batch: Batch = { host, boot, sequence, ...times, ...lists };
    return { batch, bytes: encodeBatch(batch) };
  };
  const append = async (first: number, count: number): Promise<void> => {
    const batches = Array.from({ length: count }, (_, index) => accept(first + index));
    const last = first + count - 1;
    const boots = [{ boot, ranges: [{ first: 1, last }] }];
    await store.append(batches, [{ host, boots }]);
    writeSync(STDOUT, `${last}\n`);
  };
  let next = 1;
  try {
    for (;;) {
      const count = 1 + Math.floor(random() * BATCHES_PER_COMMIT_MAX);
      await append(next, count);
      next += count;
    }
  } catch (error) {
    writeSync(STDOUT, `error ${codeOf(error)}\n`);
  }
  await append(next, 1).catch((error: unknown) => writeSync(STDOUT, `error ${codeOf(error)}\n`));
  process.exit(3);
}

await main();
