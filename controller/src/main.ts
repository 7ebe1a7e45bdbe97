// In: arguments, the environment and signals. Out: a running controller, and its exit code.
// Never: holds logic; open.ts opens the rooms, pipeline.ts joins what flows through them.

import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '@foreshadow/model';
import {
  CodedError,
  Lifecycle,
  codeOf,
  createLogger,
  describeError,
  runTogether,
  seededRandom,
  stopSignal,
  systemClock,
  systemDisk,
  type Clock,
  type ConfigSource,
} from '@foreshadow/runtime';
import { parseControllerConfig, parsePolicyRules, type ControllerConfig } from './config.ts';
import { openController } from './open.ts';
import { defaultRules } from './policy/index.ts';
import type { Store } from './store/index.ts';

const USAGE = `usage: foreshadow-controller [--config FILE] [--check-config] [--version]

  --config FILE    configuration; FORESHADOW_CONTROLLER_* variables go over it
  --check-config   check configuration and rules, print them complete, and exit
  --version        print the version and exit
`;
const RETENTION_EVERY_MS = 60_000;
const RETENTION_STEP_MS = 100;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      'check-config': { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return say(USAGE);
  if (values.version === true) return say(`foreshadow-controller ${VERSION}\n`);
  const source = values.config === undefined ? {} : { source: readSource(values.config) };
  const config = parseControllerConfig({ ...source, environment: process.env });
  const { file } = config.policy;
  const rules = file === undefined ? defaultRules : parsePolicyRules(readSource(file));
  if (values['check-config'] === true)
    return say(`${JSON.stringify({ ...config, ...rules }, undefined, 2)}\n`);
  await runController(config, rules, stopSignal());
  return 0;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readSource(path: string): ConfigSource {
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw new CodedError('CONFIG_UNREADABLE', `${path} cannot be read; name a file with --config`, {
      cause,
    });
  }
}

/** Opens every room in order, runs until the signal aborts, and closes in the mirrored order. */
async function runController(
  config: ControllerConfig,
  rules: typeof defaultRules,
  stop: AbortSignal,
): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({
    program: 'controller',
    level: config.log.level,
    format: process.stderr.isTTY ? 'text' : 'json',
    clock,
    write: (line) => process.stderr.write(line),
  });
  await using lifecycle = new Lifecycle({ logger, clock });
  const fatal = new AbortController();
  const around = {
    clock,
    // For jitter only; it must differ between processes.
    random: seededRandom(process.pid ^ clock.nowMs()),
    disk: systemDisk,
    logger,
    lifecycle,
    rules,
    protoPath: protoPath(),
    natsBinaries: natsBinaries(config),
    onFatal: (error: unknown) => fatal.abort(error),
  };
  const opening = AbortSignal.any([stop, fatal.signal]);
  const { pipeline, outbox, store } = await openController(config, around, opening);
  const loops = [
    (signal: AbortSignal) => pipeline.run(signal),
    (signal: AbortSignal) => outbox.run(signal),
    (signal: AbortSignal) => retain(store, clock, signal),
  ];
  await runTogether(loops, { stop, fatal });
}

function natsBinaries({ broker }: ControllerConfig): readonly string[] {
  if (broker.binary !== undefined) return [broker.binary];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, 'nats-server'));
}

/** Beside the bundle, or in the checkout. */
function protoPath(): string {
  const beside = join(import.meta.dirname, 'proto', 'control.proto');
  return existsSync(beside) ? beside : join(import.meta.dirname, '../../proto/control.proto');
}

/** Removes what is too old, in steps, until the signal aborts. */
async function retain(store: Store, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const hasMore = await store.compactionStep();
    await clock.sleep(hasMore ? RETENTION_STEP_MS : RETENTION_EVERY_MS, signal);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`foreshadow-controller: ${codeOf(error)}: ${describeError(error)}\n`);
  process.exitCode = 1;
}
