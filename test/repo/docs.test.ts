import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  checkDecisions,
  checkDependencyTable,
  checkGlossary,
  decisionsIndex,
  exportedNames,
} from './rules/docs.ts';
import { dependenciesOf, parseManifest } from './rules/manifests.ts';
import type { Problem, Source } from './rules/source.ts';
import { assertNone, listFiles, readSource } from './tree.ts';

const at = (path: string, text: string): Source => ({ path, text });
const messages = (problems: readonly Problem[]): string =>
  problems.map(({ message }) => message).join('\n');

test('every word of the model is in its glossary', () => {
  const door = at(
    'index.ts',
    "export { a, aSchema, type B } from './a.ts';\nexport type { C } from './c.ts';",
  );
  assert.deepEqual(exportedNames(door.text), ['a', 'aSchema', 'B', 'C']);
  assert.match(
    messages(checkGlossary(door, at('README.md', '`a` `B`'))),
    /^C: say it in README.md$/,
  );
  assertNone(
    checkGlossary(
      readSource('packages/model/src/index.ts'),
      readSource('packages/model/README.md'),
    ),
  );
});

test('decisions have a number of their own, four sections and at most a page', () => {
  const good = '# 0001 A\n\n## Context\n\n## Decision\n\n## Consequences\n\n## Rejected\n';
  const record = at('docs/decisions/0001-a.md', good);
  assert.equal(messages(checkDecisions([record])), '');
  const twice = at('docs/decisions/0001-b.md', good.replace('## Rejected\n', ''));
  assert.match(messages(checkDecisions([record, twice])), /0001 is taken\nsection «## Rejected»/);
  assert.match(messages(checkDecisions([at('docs/decisions/2-a.md', good)])), /NNNN-short-title/);
  const long = at('docs/decisions/0001-a.md', good + '\n'.repeat(60));
  assert.match(messages(checkDecisions([long])), /at most a page/);
});

test('the records of decisions and their index agree', () => {
  const records = listFiles()
    .filter((path) => path.startsWith('docs/decisions/') && !path.endsWith('/README.md'))
    .map(readSource);
  assertNone(checkDecisions(records));
  assert.equal(
    readSource('docs/decisions/README.md').text,
    decisionsIndex(records),
    'run node test/repo/write.ts --decisions',
  );
});

test('the dependency table of README.md has each dependency with its version', () => {
  const planted = at('README.md', '## Dependencies\n\n| `yaml` | 2.9.1 |\n| `gone` | 1.0.0 |\n');
  const used = new Map([
    ['yaml', '2.9.1'],
    ['level', '10.0.0'],
  ]);
  assert.equal(
    messages(checkDependencyTable(planted, used)),
    'no row for level 10.0.0\ngone is in no package.json',
  );
  const manifests = listFiles().filter((path) => /(?:^|\/)package\.json$/.test(path));
  const all = manifests
    .filter((path) => !path.startsWith('test/fixtures/'))
    .flatMap((path) =>
      dependenciesOf(parseManifest(readSource(path).text))
        .entries()
        .toArray(),
    )
    .filter(([name]) => !name.startsWith('@foreshadow/'));
  assertNone(checkDependencyTable(readSource('README.md'), new Map(all)));
});
