// In: where this file lies.
// Out: how each program of Foreshadow is started from here, from sources or from bundles.
// Never: imports a program; they are processes.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type ProgramName = 'agent' | 'actuator' | 'controller' | 'workload';

const sources: Readonly<Record<ProgramName, string>> = {
  agent: 'agent/src/main.ts',
  actuator: 'agent/src/actuator/main.ts',
  controller: 'controller/src/main.ts',
  workload: 'packages/cli/src/dev/workload-main.ts',
};

/**
 * @returns arguments for the Node that runs now; a bundle's siblings where there are any, else the
 * checkout's sources
 */
export function programArguments(name: ProgramName): readonly string[] {
  const bundle = join(import.meta.dirname, `foreshadow-${name}.mjs`);
  return [existsSync(bundle) ? bundle : join(checkoutFolder(), sources[name])];
}

/** The checkout that these sources belong to. */
export function checkoutFolder(): string {
  return dirname(dirname(dirname(dirname(import.meta.dirname))));
}
