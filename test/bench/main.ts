// In: `NAME [--json FILE]` or `--list`.
// Out: a table for a person, one JSON object in FILE for a program.
// Never: skips in silence; an unknown name is refused with the known ones.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest, stopSignal } from '@foreshadow/runtime';
import type { Bench, BenchReport, BenchResult } from './bench.ts';
import { benches } from './index.ts';

const root = join(import.meta.dirname, '..', '..');

function describeMachine(): string {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown CPU'}, ${gibibytes} GiB, ${process.platform} ${process.arch}`;
}

function git(...words: readonly string[]): string {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim();
}

/** The commit, with `+changes` where the tree differs from it. */
function describeCommit(): string {
  try {
    const changes = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+changes';
    return git('rev-parse', '--short=12', 'HEAD') + changes;
  } catch {
    return 'unknown: not a git checkout, or git is not installed';
  }
}

function tableOf(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.id,
    result.measure,
    result.value === undefined ? 'not measured' : `${Number(result.value.toPrecision(4))}`,
    result.unit,
    result.target ?? '',
    result.holds === undefined ? '' : result.holds ? 'holds' : 'FALLS SHORT',
    `n=${result.n}`,
    result.spread === undefined
      ? ''
      : result.spread.map((value) => Number(value.toPrecision(4))).join(' to '),
    result.peer === undefined ? '' : `peer: ${result.peer}`,
  ]);
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, index) => Math.max(widest[index] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function runBench(bench: Bench, file: string | undefined): Promise<void> {
  say(bench.question);
  const results = await bench.run({ root, say, signal: stopSignal() });
  const report: BenchReport = {
    bench: bench.name,
    commit: describeCommit(),
    node: process.version,
    machine: describeMachine(),
    results,
  };
  process.stdout.write(`${tableOf(results)}\n`);
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

function refuse(sentence: string): void {
  process.stderr.write(`${sentence}\nusage: npm run bench -- NAME [--json FILE] | --list\n`);
  process.exitCode = 2;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const names = benches.map(({ name }) => name);
const [name = ''] = positionals;
const bench = benches.find((known) => known.name === name);
if (values.list)
  for (const { name: listed, ids, question } of benches)
    process.stdout.write(`${listed}  ${ids.join(' ')}  ${question}\n`);
else if (bench !== undefined) await runBench(bench, values.json);
else if (name === '') refuse('no bench was named');
else {
  const meant = nearest(name, names);
  const hint = meant === undefined ? `known: ${names.join(', ')}` : `did you mean ${meant}?`;
  refuse(`there is no bench ${name}; ${hint}`);
}
