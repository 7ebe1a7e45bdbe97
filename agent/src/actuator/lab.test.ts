// In: a few options. Out: an executor over real files in a temporary folder; its clock stands.
// No tests: the tests of this room share it, and its name keeps it out of the program.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileContentDigest } from '@foreshadow/configuration';
import type { CommandId, Order, Outcome } from '@foreshadow/model';
import { openExecutor, type Executor } from './executor.ts';
import type { HostPolicy } from './host-policy.ts';
import type { LedgerEntry, LedgerState } from './ledger.ts';
import { FatalError } from './refusal.ts';

const key = new Uint8Array(32).fill(7);

export function digestOf(content: Uint8Array | string): string {
  return fileContentDigest(key, Buffer.from(content));
}

export interface LabOptions {
  readonly role?: 'production' | 'shadow';
  readonly isEnabled?: boolean;
  readonly bytesMax?: number;
  /** Paths within the lab's folder, as `/etc/shop`; `real` unless given. */
  readonly allowed?: readonly string[];
}

export class Lab implements Disposable {
  readonly folder: string;
  readonly policy: HostPolicy;
  /** Called when a record is durable and before its effect. */
  afterRecord: (entry: LedgerEntry) => void = () => undefined;
  readonly clock = { wallMs: 1_800_000_000_000, monotonicMs: 5_000 };
  #executor: Executor | undefined;
  #commandCount = 0;

  constructor(folder: string, policy: HostPolicy) {
    this.folder = folder;
    this.policy = policy;
  }

  path(name: string): string {
    return join(this.folder, 'real', name);
  }

  write(name: string, content: string): void {
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  names(): readonly string[] {
    return readdirSync(join(this.folder, 'real')).toSorted();
  }

  /** Opens the executor where it is not; `crash` closes it without any order. */
  get executor(): Executor {
    this.#executor ??= openExecutor({
      policy: this.policy,
      digestOf,
      clock: { nowMs: () => this.clock.wallMs, monotonicMs: () => this.clock.monotonicMs },
      afterRecord: (entry) => this.afterRecord(entry),
    });
    return this.#executor;
  }

  run(
    order: Order,
    how: { readonly id?: string; readonly isDryRun?: boolean; readonly timeLimitMs?: number } = {},
  ): Outcome {
    this.#commandCount += 1;
    const id = how.id ?? `cmd-${String(this.#commandCount).padStart(12, '0')}`;
    return this.executor.execute({
      id: id as CommandId, // A test's own id is well-formed.
      order,
      isDryRun: how.isDryRun ?? false,
      timeLimitMs: how.timeLimitMs ?? 10_000,
    });
  }

  /** Marks `good` as known-good in `name`, then edits it to `live`. */
  drift(name: string, contents: { readonly good: string; readonly live: string }): void {
    this.write(name, contents.good);
    this.run({ kind: 'mark-known-good' });
    this.write(name, contents.live);
  }

  restore(
    name: string,
    contents: { readonly live: string; readonly good: string },
    how: { readonly id?: string; readonly isDryRun?: boolean; readonly timeLimitMs?: number } = {},
  ): Outcome {
    const expectedDigest = digestOf(contents.live);
    const targetDigest = digestOf(contents.good);
    const item = `file:/etc/shop/${name}`;
    return this.run({ kind: 'restore', item, expectedDigest, targetDigest }, how);
  }

  /** From the next record of `state` on, the process is as if it were dead. */
  crashAt(state: LedgerState): void {
    this.afterRecord = (entry) => {
      if (entry.state === state) throw new FatalError('PLANNED_CRASH', 'a test wants it');
    };
  }

  restart(): void {
    this.afterRecord = () => undefined;
    this.#executor?.[Symbol.dispose]();
    this.#executor = undefined;
    void this.executor;
  }

  [Symbol.dispose](): void {
    this.#executor?.[Symbol.dispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function openLab(options: LabOptions = {}): Lab {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'foreshadow-actuator-')));
  mkdirSync(join(folder, 'real'));
  const allowed = options.allowed ?? ['real'];
  return new Lab(folder, {
    role: options.role ?? 'shadow',
    socket: join(folder, 'run', 'actuator.sock'),
    state: join(folder, 'state'),
    fingerprintKeyFile: join(folder, 'key'),
    restore: {
      enabled: options.isEnabled ?? true,
      paths: allowed.map((name) => ({
        path: join(folder, name),
        as: name.replace(/^real/, '/etc/shop'),
      })),
      bytesMax: options.bytesMax ?? 64 * 1024,
    },
  });
}

export function codeOf(outcome: Outcome): string {
  return outcome.kind === 'refused' || outcome.kind === 'failed' ? outcome.code : outcome.kind;
}
