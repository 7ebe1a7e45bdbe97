// In: documents and what they speak of. Out: where they no longer agree, and indexes made anew.
// Never: writes; `node test/repo/write.ts` does, when a person asks.

import { problemAt, type Problem, type Source } from './source.ts';

/** Names that a door exports, types included. */
export function exportedNames(door: string): readonly string[] {
  return [...door.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap((match) => (match[1] ?? '').split(','))
    .map((name) => name.replace(/^\s*type /, '').trim())
    .filter((name) => name !== '');
}

/** A schema is named after its type, which is the word. */
export function checkGlossary(door: Source, glossary: Source): readonly Problem[] {
  return exportedNames(door.text)
    .filter((name) => !name.endsWith('Schema') && !glossary.text.includes(`\`${name}\``))
    .map((name) => problemAt(door, door.text.indexOf(name), `${name}: say it in ${glossary.path}`));
}

/** The index of `docs/decisions/`, made from the first line of each record. */
export function decisionsIndex(records: readonly Source[]): string {
  const rows = records.map((record) => {
    const file = record.path.split('/').at(-1) ?? '';
    return `| [${file.slice(0, 4)}](${file}) | ${titleOf(record.text)} |`;
  });
  return [
    '# Decisions',
    '',
    'Each record says why. It is never edited after it holds, only superseded by a later one.',
    'This index is made by `node test/repo/write.ts --decisions`.',
    '',
    '| number | decision |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function titleOf(text: string): string {
  return /^# \d{4} (.+)$/m.exec(text)?.[1] ?? '';
}

const sections = ['Context', 'Decision', 'Consequences', 'Rejected'];
const RECORD_LINES_MAX = 60;

export function checkDecisions(records: readonly Source[]): readonly Problem[] {
  const numbers = new Set<string>();
  return records.flatMap((record) => {
    const file = record.path.split('/').at(-1) ?? '';
    const number = file.slice(0, 4);
    const problems: Problem[] = [];
    if (!/^\d{4}-[a-z0-9-]+\.md$/.test(file))
      problems.push(problemAt(record, 0, 'name it NNNN-short-title.md'));
    if (numbers.has(number)) problems.push(problemAt(record, 0, `number ${number} is taken`));
    if (!record.text.startsWith(`# ${number} `))
      problems.push(problemAt(record, 0, `begin with «# ${number} title»`));
    for (const section of sections) {
      if (!record.text.includes(`\n## ${section}\n`))
        problems.push(problemAt(record, 0, `section «## ${section}» is missing`));
    }
    if (record.text.split('\n').length > RECORD_LINES_MAX)
      problems.push(problemAt(record, 0, `at most a page: ${RECORD_LINES_MAX} lines`));
    numbers.add(number);
    return problems;
  });
}

/** @param dependencies name to exact version, of all workspaces together */
export function checkDependencyTable(
  readme: Source,
  dependencies: ReadonlyMap<string, string>,
): readonly Problem[] {
  const start = readme.text.search(/^## Dependencies$/m);
  if (start === -1) return [problemAt(readme, 0, 'section «## Dependencies» is missing')];
  const section = readme.text.slice(start).split(/\n## /)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  const missing = [...dependencies].filter(
    ([name, version]) => !rows.some((row) => row.includes(`\`${name}\``) && row.includes(version)),
  );
  const unknown = rows
    .map((row) => /^\| `([^`]+)`/.exec(row)?.[1])
    .filter((name) => name !== undefined && !dependencies.has(name));
  return [
    ...missing.map(([name, version]) => problemAt(readme, start, `no row for ${name} ${version}`)),
    ...unknown.map((name) => problemAt(readme, start, `${name ?? ''} is in no package.json`)),
  ];
}
