// In: the working tree. Out: its files as sources for the rules.
// Never: reads what git ignores, fixtures excepted where a rule asks for them.

import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { strict as assert } from 'node:assert';
import type { Problem, Source } from './rules/source.ts';

export const root = join(import.meta.dirname, '..', '..');

const ignored = new Set(['node_modules', 'dist', '.git', '.cache']);

/** Paths of all files, sorted, relative to the repository. */
export function listFiles(): readonly string[] {
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (ignored.has(entry.name) || entry.name.endsWith('.log')) return [];
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() ? [relative(root, path).split(sep).join('/')] : [];
    });
  return walk(root).toSorted();
}

export function readSource(path: string): Source {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** Our TypeScript: sources, tests, benches and the installer; no fixtures. */
export function readSources(): readonly Source[] {
  return listFiles()
    .filter((path) => path.endsWith('.ts') && !path.startsWith('test/fixtures/'))
    .map(readSource);
}

/** Fails with one line a problem, each `file:line what to do`. */
export function assertNone(problems: readonly Problem[]): void {
  const lines = problems.map(({ path, line, message }) => `${path}:${line} ${message}`);
  assert.equal(lines.length, 0, `\n${lines.join('\n')}\n`);
}
