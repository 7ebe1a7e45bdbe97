// In: a folder and a port.
// Out: the files from which a controller, two agents and two services can be started there.
// Never: writes outside the folder.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const sides = ['production', 'shadow'] as const;
export type SideName = (typeof sides)[number];

/**
 * CPU a request and memory kept: on one core about a tenth of it, and 64 MiB, under the load of
 * `foreshadow dev`.
 */
export const SERVICE_CONFIG = { hashRounds: 6_000, cacheMegabytes: 64 };
/** How every file of configuration begins; so a folder is known again. */
export const WRITTEN_BY_DEV = '# Written by foreshadow dev.';
export const LOGICAL_CONFIG = '/etc/shop/service.json';
/** What the services may use: the ratios of the pair refer to it. */
const CAPACITY = { cpuCapacityCores: 1, memoryCapacityBytes: 512 * 1024 * 1024 };

export interface HostLayout {
  readonly id: string;
  readonly serviceConfigPath: string;
  readonly servicePort: number;
  readonly pidFile: string;
  readonly agentConfigPath: string;
  readonly actuatorPolicyPath: string;
}

export interface Layout {
  readonly folder: string;
  readonly apiPort: number;
  readonly controlPort: number;
  readonly brokerPort: number;
  readonly controllerConfigPath: string;
  readonly hosts: Readonly<Record<SideName, HostLayout>>;
  logPath(name: string): string;
}

/** Five ports in a row from `port` on are used. */
export function planLayout(options: { readonly folder: string; readonly port: number }): Layout {
  const { folder, port } = options;
  const host = (side: SideName, servicePort: number): HostLayout => ({
    id: `shop-${side}`,
    serviceConfigPath: join(folder, side, 'etc', 'service.json'),
    servicePort,
    pidFile: join(folder, side, 'service.pid'),
    agentConfigPath: join(folder, side, 'agent.yaml'),
    actuatorPolicyPath: join(folder, side, 'actuator.json'),
  });
  return {
    folder,
    apiPort: port,
    controlPort: port + 1,
    brokerPort: port + 2,
    controllerConfigPath: controllerConfigPathIn(folder),
    hosts: { production: host('production', port + 3), shadow: host('shadow', port + 4) },
    logPath: (name) => join(folder, 'log', `${name}.log`),
  };
}

export function controllerConfigPathIn(folder: string): string {
  return join(folder, 'controller', 'controller.yaml');
}

/** Writes every file, mode 0600 in folders of mode 0700; the key of an earlier run stays. */
export async function writeLayout(
  layout: Layout,
  options: { readonly intervalMs: number; readonly natsServer?: string },
): Promise<void> {
  const keyPath = join(layout.folder, 'fingerprint.key');
  await makeFolder(join(layout.folder, 'log'));
  await makeFolder(join(layout.folder, 'controller'));
  // Another key would make every file look changed to the controller of an earlier run.
  if (!existsSync(keyPath)) await write(keyPath, `${randomBytes(32).toString('hex')}\n`);
  await write(layout.controllerConfigPath, controllerYaml(layout, options));
  for (const side of sides) {
    const host = layout.hosts[side];
    await makeFolder(join(layout.folder, side, 'etc'));
    await write(host.serviceConfigPath, `${JSON.stringify(SERVICE_CONFIG, undefined, 2)}\n`);
    await write(
      host.agentConfigPath,
      agentYaml(layout, side, { intervalMs: options.intervalMs, keyPath }),
    );
    await write(host.actuatorPolicyPath, actuatorJson(layout, side, keyPath));
  }
}

function controllerYaml(
  layout: Layout,
  options: { readonly intervalMs: number; readonly natsServer?: string },
): string {
  return [
    WRITTEN_BY_DEV,
    `stateFolder: ${JSON.stringify(join(layout.folder, 'controller', 'state'))}`,
    `api: { host: 127.0.0.1, port: ${layout.apiPort} }`,
    `control: { host: 127.0.0.1, port: ${layout.controlPort} }`,
    'broker:',
    `  port: ${layout.brokerPort}`,
    ...(options.natsServer === undefined
      ? []
      : [`  binary: ${JSON.stringify(options.natsServer)}`]),
    `judging: { intervalMs: ${options.intervalMs} }`,
    'pairs:',
    `  - { production: ${layout.hosts.production.id}, shadow: ${layout.hosts.shadow.id} }`,
    '',
  ].join('\n');
}

function agentYaml(
  layout: Layout,
  side: SideName,
  options: { readonly intervalMs: number; readonly keyPath: string },
): string {
  const host = layout.hosts[side];
  return [
    WRITTEN_BY_DEV,
    `host: ${host.id}`,
    `role: ${side}`,
    'labels: { service: shop }',
    `stateFolder: ${JSON.stringify(join(layout.folder, side, 'agent'))}`,
    `controller: { address: "127.0.0.1:${layout.controlPort}" }`,
    `broker: { servers: ["nats://127.0.0.1:${layout.brokerPort}"] }`,
    `sampling: { intervalMs: ${options.intervalMs} }`,
    'scope:',
    '  kind: process',
    `  pidFile: ${JSON.stringify(host.pidFile)}`,
    `  cpuCapacityCores: ${CAPACITY.cpuCapacityCores}`,
    `  memoryCapacityBytes: ${CAPACITY.memoryCapacityBytes}`,
    'fingerprints:',
    `  keyFile: ${JSON.stringify(options.keyPath)}`,
    '  subjects: [file]',
    `  roots: [{ path: ${JSON.stringify(join(layout.folder, side, 'etc'))}, as: /etc/shop }]`,
    `actuator: { socket: ${JSON.stringify(join(layout.folder, side, 'actuator', 'actuator.sock'))} }`,
    '',
  ].join('\n');
}

function actuatorJson(layout: Layout, side: SideName, keyPath: string): string {
  const policy = {
    role: side,
    socket: join(layout.folder, side, 'actuator', 'actuator.sock'),
    state: join(layout.folder, side, 'actuator', 'state'),
    fingerprintKeyFile: keyPath,
    restore: {
      enabled: side === 'shadow',
      paths: [{ path: join(layout.folder, side, 'etc'), as: '/etc/shop' }],
    },
  };
  return `${JSON.stringify(policy, undefined, 2)}\n`;
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}
