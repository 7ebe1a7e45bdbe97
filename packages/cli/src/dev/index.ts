// In: a folder, a port.
// Out: Foreshadow whole on this machine, with something to watch; or its story played once.
// Never: leaves anything running or enabled.

import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { newIdentifier } from '@foreshadow/runtime';
import { exitCodes } from '../exit-codes.ts';
import { withExamples, type Act, type Session } from '../session.ts';
import { openFolder, type Folder } from './folder.ts';
import { LOAD_RATE, openStage, type Stage } from './stage.ts';
import { playStory, type Step } from './story.ts';

export const DEV_PORT = 7470;
export const DEV_INTERVAL_MS = 1_000;

interface DevOptions {
  readonly check: boolean;
  readonly port: number;
  readonly folder?: string;
  readonly natsServer?: string;
  readonly idleShadow: boolean;
}

export function registerDev(program: Command, act: Act): void {
  const dev = program
    .command('dev')
    .description(
      'Run everything on this machine: broker, controller, two agents, a production and a shadow service under light load.',
    )
    .option(
      '--check',
      'play the story once without a person, and exit 0 only if every step happened',
      false,
    )
    .option('--port <port>', `first of five ports in a row`, parsePort, DEV_PORT)
    .option(
      '--folder <folder>',
      'keep all data there; otherwise a temporary folder, removed at the end',
    )
    .option('--nats-server <path>', 'the nats-server to start')
    .option('--idle-shadow', 'send no load to the shadow', false)
    .action(act(async (session, options: DevOptions) => runDev(session, options)));
  withExamples(dev, [
    'foreshadow dev',
    'foreshadow dev --check',
    'foreshadow dev --idle-shadow --port 8470',
  ]);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1_024 && port <= 65_530) return port;
  throw new InvalidArgumentError('a port is a number from 1024 to 65530');
}

async function runDev(session: Session, options: DevOptions): Promise<0 | 1 | 130> {
  const { terminal, clock } = session;
  const say = (line: string): void => terminal.writeError(`${line}\n`);
  await using folder = await openFolder(options.folder);
  say('Starting nats-server, controller, two agents, two actuators and two services …');
  await using stage = await openStage(
    {
      folder: folder.path,
      port: options.port,
      intervalMs: DEV_INTERVAL_MS,
      ...(options.natsServer !== undefined && { natsServer: resolve(options.natsServer) }),
      shadowRate: options.idleShadow ? 0 : LOAD_RATE,
      clock,
      newIdentifier,
      environment: terminal.environment,
      say,
    },
    terminal.stop,
  );
  if (options.check) return await checkStory(session, stage);
  await stage.until('the pair', 60_000, () => stage.pair());
  await stage.markKnownGood();
  terminal.writeOut(banner(stage, folder));
  await untilStopped(terminal.stop);
  say('Stopping …');
  return exitCodes.ok;
}

async function checkStory(session: Session, stage: Stage): Promise<0 | 1> {
  const startedMs = session.clock.monotonicMs();
  const onStep = (step: Step): void => session.terminal.writeOut(`${stepLine(step)}\n`);
  const steps = await playStory({
    stage,
    intervalMs: DEV_INTERVAL_MS,
    clock: session.clock,
    onStep,
  });
  const seconds = (session.clock.monotonicMs() - startedMs) / 1_000;
  session.terminal.writeOut(`All ${steps.length} steps happened, in ${seconds.toFixed(1)} s.\n`);
  return exitCodes.ok;
}

function stepLine({ name, durationMs, afterEditIntervals, intervalsMax }: Step): string {
  const seconds = `${(durationMs / 1_000).toFixed(1)} s`.padStart(7);
  if (afterEditIntervals === undefined) return `ok ${seconds}  ${name}`;
  return `ok ${seconds}  ${name} (${afterEditIntervals.toFixed(1)} of at most ${intervalsMax} intervals after the edit)`;
}

function banner({ layout, client }: Stage, folder: Folder): string {
  const { production, shadow } = layout.hosts;
  const edit = shadow.serviceConfigPath;
  const exported = layout.apiPort === DEV_PORT ? '' : `\n  export FORESHADOW_URL=${client.url}`;
  const run = 'npm run -s foreshadow --';
  return `
Foreshadow runs on this machine; nothing is reachable from outside.

  REST         ${client.url}  (/api/v1/pairs, /healthz, /metrics)
  NATS         nats://127.0.0.1:${layout.brokerPort}  (events: foreshadow.v1.event.>)
  gRPC         127.0.0.1:${layout.controlPort}  (agents dial it)
  production   ${production.id}, a service on port ${production.servicePort}
  shadow       ${shadow.id}, a service on port ${shadow.servicePort}
  data, logs   ${folder.path} (${folder.isKept ? 'kept' : 'removed at the end'})

In a second terminal, here:${exported}

  ${run} status
  ${run} pair watch shop-production_shop-shadow

Then make the shadow drift, and watch the file being put back:

  sed -i 's/"hashRounds": [0-9]*/"hashRounds": 30000/' ${edit}
  ${run} diff shop-production_shop-shadow
  ${run} event watch

Ctrl-C ends everything.
`;
}

async function untilStopped(signal: AbortSignal): Promise<void> {
  const { promise, resolve: done } = Promise.withResolvers<void>();
  if (signal.aborted) done();
  signal.addEventListener('abort', () => done(), { once: true });
  await promise;
}
