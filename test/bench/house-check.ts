// In: the repository. Out: how long a developer waits for `npm run check`.
// Never: measures a check that failed: a failure may be quicker.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { resultOf, type Bench } from './bench.ts';

const SECONDS_MAX = 40;
const RUNS = 3;

export const houseCheck: Bench = {
  name: 'house-check',
  question: 'How long does a developer wait for npm run check?',
  ids: ['perf.check'],
  async run({ root, say, signal }) {
    const values: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const startedMs = performance.now();
      const child = spawn(process.execPath, [join(root, 'test/support/check.ts')], {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
        signal,
      });
      const [code] = (await once(child, 'close')) as [number | null]; // As node documents `close`.
      const seconds = (performance.now() - startedMs) / 1_000;
      say(`run ${run} of ${RUNS}: ${seconds.toFixed(1)} s, exit ${code}`);
      if (code !== 0) throw new Error('npm run check fails; mend it first, then measure');
      values.push(seconds);
    }
    const fixed = { id: 'perf.check', measure: 'wall time of npm run check', unit: 's' };
    return [resultOf(fixed, values, SECONDS_MAX)];
  },
};
