// Facts about the spool: a batch is there until a mark covers it, or a gap says that it is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_BYTES_MAX, parseBootId, type BootId, type Gap } from '@foreshadow/model';
import { CodedError, codeOf, type Disk, type Logger } from '@foreshadow/runtime';
import {
  GAPS_KEPT_MAX,
  SEGMENT_BYTES_MAX,
  SEGMENT_DROP_BYTES,
  openSpool,
  type Spool,
} from './spool.ts';

const FOLDER = '/spool';
const BYTES_MAX = 4 * SEGMENT_BYTES_MAX;
const LARGE = BATCH_BYTES_MAX;
const PER_SEGMENT = SEGMENT_BYTES_MAX / LARGE; // Headers make the last of them cross the bound.

function bootOf(number: number): BootId {
  const boot = parseBootId(number.toString(16).padStart(16, '0'));
  assert.ok(boot !== undefined);
  return boot;
}
const boot = bootOf(1);

/** A disk in memory; `failing` names the next step that throws. */
interface MemoryDisk extends Disk {
  readonly files: Map<string, Buffer>;
  failing: 'append' | 'half append' | 'sync' | 'folder' | undefined;
  openCount: number;
}

function createMemoryDisk(): MemoryDisk {
  const files = new Map<string, Buffer>();
  const contentOf = (path: string): Buffer => files.get(path) ?? Buffer.alloc(0);
  const disk: MemoryDisk = {
    files,
    failing: undefined,
    openCount: 0,
    makeFolder: async () => {
      if (disk.failing === 'folder') throw new CodedError('EACCES', 'not yours');
    },
    list: async () => [...files.keys()].map((path) => path.slice(FOLDER.length + 1)).toSorted(),
    read: async (path) => files.get(path),
    replace: async () => assert.fail('the spool appends only'),
    remove: async (path) => void files.delete(path),
    openAppend: async (path) => {
      disk.openCount += 1;
      files.set(path, contentOf(path));
      return {
        path,
        sizeBytes: 0,
        append: (bytes) => {
          const kept = disk.failing === 'half append' ? bytes.length / 2 : bytes.length;
          if (disk.failing === 'append') throw new CodedError('ENOSPC', 'full');
          files.set(path, Buffer.concat([contentOf(path), bytes.subarray(0, kept)]));
          if (disk.failing === 'half append') throw new CodedError('DISK_SHORT_WRITE', 'full');
        },
        sync: async () => {
          if (disk.failing === 'sync') throw new CodedError('EIO', 'broken');
        },
        readAt: () => assert.fail('the spool reads whole files'),
        truncate: (size) => void files.set(path, contentOf(path).subarray(0, size)),
        close: () => void (disk.openCount -= 1),
      };
    },
  };
  return disk;
}

interface Scene {
  readonly disk: MemoryDisk;
  readonly codes: unknown[];
  readonly open: (ofBoot?: BootId) => Promise<Spool>;
}

function scene(): Scene {
  const disk = createMemoryDisk();
  const codes: unknown[] = [];
  const warn: Logger['warn'] = (_message, fields) => codes.push(fields?.['code']);
  const logger: Logger = { debug: warn, info: warn, warn, error: warn };
  return {
    disk,
    codes,
    open: (ofBoot = boot) =>
      openSpool({ folder: FOLDER, boot: ofBoot, bytesMax: BYTES_MAX, disk, logger }),
  };
}

/** Batches whose first bytes are their sequence number. */
function batchOf(sequence: number, sizeBytes = 100): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUInt32LE(sequence);
  return bytes;
}
async function fill(spool: Spool, first: number, last: number, sizeBytes?: number): Promise<void> {
  for (let sequence = first; sequence <= last; sequence += 1)
    await spool.append(sequence, batchOf(sequence, sizeBytes));
}
async function pendingOf(spool: Spool): Promise<readonly number[]> {
  const records = await spool.readPending({ countMax: 1_000 });
  for (const { sequence, bytes } of records)
    assert.equal(Buffer.from(bytes).readUInt32LE(), sequence);
  return records.map(({ sequence }) => sequence);
}
const countTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('batches stay in order until a mark covers them', async () => {
  await using spool = await scene().open();
  await fill(spool, 1, 5);
  assert.deepEqual(await pendingOf(spool), [1, 2, 3, 4, 5]);
  await spool.trim({ boot, sequence: 3 });
  assert.equal(spool.pendingCount, 2);
  assert.deepEqual(await pendingOf(spool), [4, 5]);
  await spool.trim({ boot, sequence: 2 }); // Older marks change nothing.
  await spool.trim({ boot: bootOf(9), sequence: 5 });
  assert.deepEqual(await pendingOf(spool), [4, 5]);
  assert.deepEqual(spool.gaps(), []);
});

test('pending batches are read in pages, across segments and boots', async () => {
  const { open } = scene();
  {
    await using spool = await open();
    await fill(spool, 1, PER_SEGMENT + 2, LARGE);
  }
  await using spool = await open(bootOf(2));
  await fill(spool, 1, 2);
  const all = [...countTo(PER_SEGMENT + 2), 1, 2];
  const records = await spool.readPending({ countMax: 1_000 });
  assert.deepEqual(
    records.map(({ sequence }) => sequence),
    all,
  );
  for (const [index, after] of records.entries()) {
    const page = await spool.readPending({ after, countMax: 3 });
    assert.deepEqual(page, records.slice(index + 1, index + 4), `after ${index}`);
  }
});

test('reading goes on behind a batch whose segment a mark has removed', async () => {
  const { open } = scene();
  await using spool = await open();
  await fill(spool, 1, PER_SEGMENT + 2, LARGE);
  const after = { boot, sequence: 2 };
  await spool.trim({ boot, sequence: PER_SEGMENT });
  const [next] = await spool.readPending({ after, countMax: 1 });
  assert.equal(next?.sequence, PER_SEGMENT + 1);
});

test('the oldest batch outstanding is that of the oldest run', async () => {
  const { open } = scene();
  {
    await using spool = await open();
    assert.equal(spool.oldestPending(), undefined);
    await fill(spool, 1, 3);
    await spool.trim({ boot, sequence: 1 });
    assert.deepEqual(spool.oldestPending(), { boot, sequence: 2 });
  }
  await using spool = await open(bootOf(2));
  await fill(spool, 1, 2);
  await spool.trim({ boot: bootOf(2), sequence: 2 });
  assert.deepEqual(spool.oldestPending(), { boot, sequence: 1 }, 'marks of a run end with it');
  await spool.trim({ boot, sequence: 3 });
  assert.equal(spool.oldestPending(), undefined);
});

test('a closed segment that a mark covers whole is removed from the disk', async () => {
  const { disk, open } = scene();
  await using spool = await open();
  await fill(spool, 1, PER_SEGMENT + 1, LARGE);
  assert.equal(disk.files.size, 2);
  await spool.trim({ boot, sequence: PER_SEGMENT - 1 });
  assert.equal(disk.files.size, 2);
  await spool.trim({ boot, sequence: PER_SEGMENT });
  assert.equal(disk.files.size, 1);
  assert.deepEqual(await pendingOf(spool), [PER_SEGMENT + 1]);
});

test('the open segment is given up only when it is worth it', async () => {
  const { disk, open } = scene();
  await using spool = await open();
  await fill(spool, 1, 1);
  await spool.trim({ boot, sequence: 1 });
  assert.equal(disk.files.size, 1);
  await fill(spool, 2, 2, SEGMENT_DROP_BYTES);
  await spool.trim({ boot, sequence: 2 });
  assert.equal(disk.files.size, 0);
  assert.equal(disk.openCount, 0);
  await fill(spool, 3, 3);
  assert.deepEqual(await pendingOf(spool), [3]);
});

test('marks that come together trim each segment once, and nothing else', async () => {
  const { disk, open } = scene();
  await using spool = await open();
  await fill(spool, 1, 3 * PER_SEGMENT, LARGE);
  await Promise.all(
    [2, 2, 1].map((segments) => spool.trim({ boot, sequence: segments * PER_SEGMENT })),
  );
  assert.equal(disk.files.size, 1);
  assert.deepEqual(await pendingOf(spool), countTo(3 * PER_SEGMENT, 2 * PER_SEGMENT + 1));
});

test('a full spool drops its oldest segment and says exactly which batches are lost', async () => {
  const { disk, codes, open } = scene();
  await using spool = await open();
  await fill(spool, 1, 3, LARGE);
  await spool.trim({ boot, sequence: 2 });
  await fill(spool, 4, 4 * PER_SEGMENT, LARGE);
  assert.deepEqual(spool.gaps(), [{ boot, firstSequence: 3, lastSequence: PER_SEGMENT }]);
  assert.equal(spool.droppedCount, PER_SEGMENT - 2);
  assert.ok(codes.includes('SPOOL_FULL'));
  assert.deepEqual(await pendingOf(spool), countTo(4 * PER_SEGMENT, PER_SEGMENT + 1));
  assert.ok(spool.sizeBytes <= BYTES_MAX);
  const onDisk = disk.files.values().reduce((sum, file) => sum + file.length, 0);
  assert.equal(onDisk, spool.sizeBytes);
});

test('whatever happens, each batch is in the spool, covered by a mark, or in a gap', async () => {
  await using spool = await scene().open();
  const gaps: Gap[] = [];
  const last = 10 * PER_SEGMENT;
  for (let sequence = 1; sequence <= last; sequence += 1) {
    await spool.append(sequence, batchOf(sequence, LARGE));
    const told = spool.gaps();
    gaps.push(...told);
    spool.gapsTold(told);
  }
  assert.deepEqual(spool.gaps(), []);
  const pending = new Set(await pendingOf(spool));
  for (const sequence of countTo(last)) {
    const isLost = gaps.some(
      ({ firstSequence, lastSequence }) => firstSequence <= sequence && sequence <= lastSequence,
    );
    assert.notEqual(isLost, pending.has(sequence), `batch ${sequence}`);
  }
});

test('a gap is told until it is said to be told, and the number of gaps is bounded', async () => {
  await using spool = await scene().open();
  for (let index = 0; index < 2 * GAPS_KEPT_MAX; index += 1) {
    await fill(spool, index + 1, index + 1, SEGMENT_DROP_BYTES);
    await spool.trim({ boot, sequence: index + 1 });
    spool.tellTrimmed();
  }
  const gaps = spool.gaps();
  assert.equal(gaps.length, GAPS_KEPT_MAX);
  spool.gapsTold(gaps.slice(0, -1));
  assert.deepEqual(spool.gaps(), gaps.slice(-1));
});

test('what was trimmed is told at a connection, should the controller have lost it', async () => {
  await using spool = await scene().open();
  await fill(spool, 1, 5);
  spool.tellTrimmed();
  assert.deepEqual(spool.gaps(), []);
  await spool.trim({ boot, sequence: 4 });
  spool.tellTrimmed();
  assert.deepEqual(spool.gaps(), [{ boot, firstSequence: 1, lastSequence: 4 }]);
});

test('half a record is taken back when the disk is full, and the batch can be tried again', async () => {
  for (const failing of ['append', 'half append'] as const) {
    const { disk, open } = scene();
    await using spool = await open();
    await fill(spool, 1, 2);
    disk.failing = failing;
    await assert.rejects(spool.append(3, batchOf(3)));
    disk.failing = undefined;
    assert.deepEqual(await pendingOf(spool), [1, 2]);
    await fill(spool, 3, 4);
    assert.deepEqual(await pendingOf(spool), [1, 2, 3, 4]);
  }
});

test('a segment that cannot even be begun leaves neither a file nor a descriptor', async () => {
  for (const failing of ['append', 'half append'] as const) {
    const { disk, open } = scene();
    await using spool = await open();
    disk.failing = failing;
    for (let attempt = 0; attempt < 3; attempt += 1)
      await assert.rejects(spool.append(1, batchOf(1)));
    assert.equal(disk.files.size, 0);
    assert.equal(disk.openCount, 0);
    disk.failing = undefined;
    await fill(spool, 1, 1);
    assert.deepEqual(await pendingOf(spool), [1]);
  }
});

test('a batch is kept although its segment cannot be made durable', async () => {
  const { disk, codes, open } = scene();
  await using spool = await open();
  disk.failing = 'sync';
  await fill(spool, 1, PER_SEGMENT + 1, LARGE);
  assert.deepEqual(await pendingOf(spool), countTo(PER_SEGMENT + 1));
  assert.ok(codes.includes('EIO'));
  assert.equal(disk.openCount, 1);
});

test('a new run takes over what the last one left, and sends it as what it was', async () => {
  const { disk, open } = scene();
  {
    await using spool = await open();
    await fill(spool, 1, PER_SEGMENT + 2, LARGE);
  }
  await using spool = await open(bootOf(2));
  await fill(spool, 1, 1);
  assert.equal(disk.files.size, 3);
  assert.equal(spool.pendingCount, PER_SEGMENT + 3);
  assert.equal((await spool.readPending({ countMax: 1 }))[0]?.boot, boot);
  await spool.trim({ boot, sequence: PER_SEGMENT + 2 });
  assert.deepEqual(await pendingOf(spool), [1]);
  spool.tellTrimmed();
  assert.deepEqual(spool.gaps(), [], 'a boot of which nothing is left needs no word');
});

test('a torn last record of an earlier run is left out, and the rest is sent', async () => {
  const { disk, open } = scene();
  {
    await using spool = await open();
    await fill(spool, 1, 3);
  }
  const [[path, file] = []] = disk.files;
  assert.ok(path !== undefined && file !== undefined);
  disk.files.set(path, file.subarray(0, -1));
  await using spool = await open(bootOf(2));
  assert.deepEqual(await pendingOf(spool), [1, 2]);
  assert.equal(spool.pendingCount, 2);
  assert.deepEqual(spool.gaps(), []);
});

test('what damage hides in the middle of an earlier run is a gap, so that marks move on', async () => {
  const { disk, open } = scene();
  {
    await using spool = await open();
    await fill(spool, 1, 2 * PER_SEGMENT, LARGE);
  }
  const [[path, file] = []] = disk.files;
  assert.ok(path !== undefined && file !== undefined);
  const damaged = Buffer.from(file);
  damaged.writeUInt8(255, LARGE + 100); // In the second record.
  disk.files.set(path, damaged);
  await using spool = await open(bootOf(2));
  assert.deepEqual(await pendingOf(spool), [1, ...countTo(2 * PER_SEGMENT, PER_SEGMENT + 1)]);
  assert.deepEqual(spool.gaps(), [{ boot, firstSequence: 2, lastSequence: PER_SEGMENT }]);
});

test('what an earlier run had dropped or trimmed is a gap of the next one', async () => {
  const { disk, open } = scene();
  {
    await using spool = await open();
    await fill(spool, 1, 2 * PER_SEGMENT, LARGE);
    await spool.trim({ boot, sequence: PER_SEGMENT });
  }
  assert.equal(disk.files.size, 1);
  await using spool = await open(bootOf(2));
  assert.deepEqual(spool.gaps(), [{ boot, firstSequence: 1, lastSequence: PER_SEGMENT }]);
});

test('an empty or foreign file does no harm, and a foreign name is left alone', async () => {
  const { disk, open } = scene();
  disk.files.set(`${FOLDER}/00000007.spool`, Buffer.alloc(0));
  disk.files.set(`${FOLDER}/00000008.spool`, Buffer.from('short'));
  disk.files.set(`${FOLDER}/notes.txt`, Buffer.from('mine'));
  await using spool = await open();
  await fill(spool, 1, 1);
  assert.deepEqual([...disk.files.keys()].toSorted(), [
    `${FOLDER}/00000009.spool`,
    `${FOLDER}/notes.txt`,
  ]);
});

test('a folder that cannot be used is refused with a code and its name', async () => {
  const { disk, open } = scene();
  disk.failing = 'folder';
  await assert.rejects(open(), (error: Error) => {
    assert.equal(codeOf(error), 'SPOOL_UNUSABLE');
    assert.match(error.message, /\/spool/);
    return true;
  });
});
