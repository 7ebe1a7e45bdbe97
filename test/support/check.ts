// In: the scripts of package.json.
// Out: `npm run check`: one line a step, the output of what failed, the total.
// Never: changes a file, or stops at the first failure; all steps run, so that all is told at once.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * The longest that a developer should wait, seconds. Beyond it the check warns and does not fail.
 */
export const CHECK_SECONDS_TARGET = 40;

/** A step that takes longer hangs; it is ended, with all that it started. */
export const STEP_SECONDS_MAX = 180;

interface Step {
  readonly name: string;
  readonly script: string;
}

interface StepResult {
  readonly name: string;
  readonly isGood: boolean;
  readonly seconds: number;
  readonly output: string;
}

const root = join(import.meta.dirname, '..', '..');

// What Node compiled before it need not compile again: two fifths of the CPU time of the tests. By
// content, so that it is never stale; ignored by git, and may be removed at any time.
const compileCache = join(root, '.cache/node');

// Tests are the long lane; the tools share the other one.
const lanes: readonly (readonly Step[])[] = [
  [{ name: 'test', script: 'test' }],
  [
    { name: 'types', script: 'types' },
    { name: 'format', script: 'format:check' },
    { name: 'lint', script: 'lint' },
  ],
];

function runStep(step: Step, command: string): Promise<StepResult> {
  const startedMs = performance.now();
  const path = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn('sh', ['-c', command], {
    cwd: root,
    env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // A process group of its own, so that it can be ended whole.
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(() => {
    chunks.push(Buffer.from(`\nended after ${STEP_SECONDS_MAX} s: this step hangs\n`));
    end();
  }, STEP_SECONDS_MAX * 1_000);
  process.once('exit', end);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('exit', end);
      const seconds = (performance.now() - startedMs) / 1_000;
      const output = Buffer.concat(chunks).toString();
      resolve({ name: step.name, isGood: code === 0, seconds, output });
    });
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What `node --test` says of failures comes last in its output, under this head. */
function failuresOf(output: string): string {
  const start = output.lastIndexOf('✖ failing tests:');
  return start === -1 ? output : output.slice(start);
}

async function runLane(
  steps: readonly Step[],
  scripts: Readonly<Record<string, string>>,
): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const result = await runStep(
      step,
      scripts[step.script] ?? `echo no script ${step.script}; false`,
    );
    say(
      `${result.isGood ? 'ok    ' : 'FAILED'} ${result.name.padEnd(8)} ${result.seconds.toFixed(1)} s`,
    );
    results.push(result);
  }
  return results;
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>; // Ours.
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
const startedMs = performance.now();
const results =
  availableParallelism() > 1
    ? (await Promise.all(lanes.map((steps) => runLane(steps, scripts)))).flat()
    : await runLane(lanes.flat(), scripts);
const seconds = (performance.now() - startedMs) / 1_000;
const failed = results.filter(({ isGood }) => !isGood);
for (const { name, output } of failed) say(`\n--- ${name} ---\n${failuresOf(output).trim()}`);
say(`${failed.length === 0 ? 'ok    ' : 'FAILED'} check    ${seconds.toFixed(1)} s`);
if (seconds > CHECK_SECONDS_TARGET)
  say(`warning: slower than the ${CHECK_SECONDS_TARGET} s that a check should take`);
process.exitCode = failed.length === 0 ? 0 : 1;
