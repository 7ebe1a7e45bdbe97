// In: a host. Out: its slow facts, each absent where the machine does not say.
// Never: runs while sampling: `systeminformation` starts shells, dmidecode and dmesg, some of them
// synchronously.

import { arch } from 'node:os';
import type { Host, Inventory } from '@foreshadow/model';

/** Longer texts are cut: they are shown to people and travel in the agent's hello. */
export const INVENTORY_TEXT_LENGTH_MAX = 200;

// What systeminformation says where it does not know.
const unknownTexts = new Set(['', '-', 'unknown', 'computer', 'localhost', 'default string']);

/**
 * Everything that `/proc`, `/sys` and `/etc/os-release` tell is taken from there. Where
 * `/proc/cpuinfo` has no name of the CPU and no flags (arm64), CPU and hypervisor are asked of
 * `systeminformation`, at about 30 ms and a dozen programs, and once 4 MB for the library.
 */
export async function readInventory(host: Host): Promise<Inventory> {
  const cpuInfo = readText(host, '/proc/cpuinfo') ?? '';
  const cpuCount = cpuInfo.match(/^processor\s*:/gm)?.length;
  const memory = /^MemTotal:\s+(\d+) kB$/m.exec(readText(host, '/proc/meminfo') ?? '')?.[1];
  const distribution = /^PRETTY_NAME="?([^"\n]*)/m.exec(readText(host, '/etc/os-release') ?? '');
  return withoutAbsent({
    hostname: known(readText(host, '/proc/sys/kernel/hostname')),
    operatingSystem: known(distribution?.[1]),
    kernel: known(readText(host, '/proc/sys/kernel/osrelease')),
    architecture: arch(),
    cpuModel: known(/^model name\s*:(.*)$/m.exec(cpuInfo)?.[1]) ?? (await askCpuModel()),
    cpuCount,
    memoryBytes: memory === undefined ? undefined : Number(memory) * 1024,
    virtualisation: await virtualisationOf(host, cpuInfo),
  });
}

/** @returns the text; undefined where it is one of the words for not knowing */
export function known(text: string | undefined): string | undefined {
  const trimmed = text?.trim().slice(0, INVENTORY_TEXT_LENGTH_MAX);
  return trimmed === undefined || unknownTexts.has(trimmed.toLowerCase()) ? undefined : trimmed;
}

function readText(host: Host, path: string): string | undefined {
  const bytes = host.readOnce(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** On x86 the CPU has a flag where a hypervisor runs it, and the firmware says which. */
async function virtualisationOf(host: Host, cpuInfo: string): Promise<string | undefined> {
  const flags = /^flags\s*:(.*)$/m.exec(cpuInfo)?.[1];
  if (flags === undefined) return askVirtualisation();
  if (!flags.split(' ').includes('hypervisor')) return undefined;
  const names = ['sys_vendor', 'product_name'].map(
    (file) => known(readText(host, `/sys/class/dmi/id/${file}`)) ?? '',
  );
  return known(names.join(' ')) ?? 'virtual machine';
}

async function askCpuModel(): Promise<string | undefined> {
  try {
    const { cpu } = await import('systeminformation');
    const { manufacturer, brand } = await cpu();
    return known(`${known(manufacturer) ?? ''} ${known(brand) ?? ''}`);
  } catch {
    return undefined; // An inventory without the model is better than no inventory.
  }
}

async function askVirtualisation(): Promise<string | undefined> {
  try {
    const { system } = await import('systeminformation');
    const { virtual, virtualHost } = await system();
    return virtual ? (known(virtualHost) ?? 'virtual machine') : undefined;
  } catch {
    return undefined; // As above.
  }
}

function withoutAbsent(facts: {
  readonly [Fact in keyof Inventory]-?: Inventory[Fact] | undefined;
}): Inventory {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
