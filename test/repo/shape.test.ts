import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  COLUMNS_MAX,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  checkDoors,
  checkExports,
  checkFileLength,
  checkFunctionLength,
  checkHeader,
  checkName,
  checkWidth,
} from './rules/shape.ts';
import type { Problem, Source } from './rules/source.ts';
import { assertNone, listFiles, readSources } from './tree.ts';

const sources = readSources();
const planted = (text: string, path = 'agent/src/a/b.ts'): Source => ({ path, text });
const linesOf = (problems: readonly Problem[]): readonly number[] =>
  problems.map(({ line }) => line);

test('code and comments are at most 100 columns wide', () => {
  const words = 'word '.repeat(COLUMNS_MAX / 5);
  const text = `const a = 1;\n// ${words}\nconst b = 2; // ${words}`;
  assert.deepEqual(linesOf(checkWidth(planted(text))), [2, 3]);
  assert.deepEqual(linesOf(checkWidth(planted(`f(${'aaaa, '.repeat(20)});`))), [1]);
});

test('a literal that oxfmt cannot break, and an address, may be wider', () => {
  const long = 'x'.repeat(COLUMNS_MAX);
  assert.deepEqual(checkWidth(planted(`  'a ${long}',\n  \`\${b} ${long}\`,\n`)), []);
  assert.deepEqual(checkWidth(planted(`// See https://example.org/${long}`)), []);
  assert.deepEqual(checkWidth(planted(`test('${'x'.repeat(90)}', async () => {\n`)), []);
  assert.deepEqual(linesOf(checkWidth(planted(`f('a'); // ${long}`))), [1]);
});

test('a function has at most 70 lines, counted from its head', () => {
  const body = (count: number): string => '  a();\n'.repeat(count);
  const heads = [
    'export function f(): void {\n',
    'export async function f<A>(\n  a: A,\n): Promise<{ b: number }> {\n',
    'const f = (): void => {\n',
    "test('f', async () => {\n",
    'function f(): {\n  readonly a: number;\n} {\n',
  ];
  for (const head of heads) {
    const lines = head.split('\n').length - 1;
    const most = FUNCTION_LINES_MAX - lines - 1;
    assert.deepEqual(checkFunctionLength(planted(`${head}${body(most)}}\n`)), [], head);
    assert.equal(checkFunctionLength(planted(`${head}${body(most + 1)}}\n`)).length, 1, head);
  }
  const method = `class A {\n  async f(a: number): Promise<void> {\n${'    a();\n'.repeat(69)}  }\n}\n`;
  assert.deepEqual(linesOf(checkFunctionLength(planted(method))), [2]);
});

test('classes, tables and branches are no functions', () => {
  const long = '  a;\n'.repeat(FUNCTION_LINES_MAX);
  assert.deepEqual(checkFunctionLength(planted(`class A {\n${long}}\n`)), []);
  assert.deepEqual(checkFunctionLength(planted(`const a = {\n${long}};\n`)), []);
  assert.deepEqual(
    checkFunctionLength(planted(`if (a) {\n${long}} else if (b) {\n${long}}\n`)),
    [],
  );
});

test('a file has at most 400 lines', () => {
  assert.deepEqual(checkFileLength(planted('a\n'.repeat(FILE_LINES_MAX))), []);
  assert.equal(checkFileLength(planted('a\n'.repeat(FILE_LINES_MAX + 1))).length, 1);
});

test('exports are named one by one', () => {
  const text = "export default a;\nexport * from './b.ts';\nexport { c } from './c.ts';\n";
  assert.deepEqual(linesOf(checkExports(planted(text))), [1, 2]);
});

test('names say what is inside', () => {
  for (const path of ['agent/src/utils/a.ts', 'agent/src/a/base.ts', 'a/disk-manager.ts'])
    assert.match(checkName(path)[0]?.message ?? '', /says nothing/, path);
  assert.match(checkName('agent/src/a/diskQueue.ts')[0]?.message ?? '', /kebab-case/);
  assert.deepEqual(checkName('controller/src/forecasting/baseline.test.ts'), []);
});

test('files open with a comment, doors with In, Out and Never', () => {
  const door = 'agent/src/host/index.ts';
  assert.equal(checkHeader(planted('// The door.\n', door)).length, 1);
  assert.deepEqual(checkHeader(planted('// In: a. Out: b.\n// Never: c.\n', door)), []);
  assert.deepEqual(
    checkHeader(planted('// In: a,\n// b. Out: c\n// d.\n// Never: e.\n', door)),
    [],
  );
  assert.equal(checkHeader(planted("import a from 'b';\n")).length, 1);
  assert.equal(checkDoors(['agent/src/host/proc.ts', 'agent/src/main.ts']).length, 1);
});

test('the tree keeps its shape', () => {
  const paths = listFiles().filter((path) => !path.startsWith('test/fixtures/'));
  assertNone([
    ...[checkWidth, checkFileLength, checkFunctionLength, checkExports, checkHeader].flatMap(
      (rule) => sources.flatMap(rule),
    ),
    ...paths.flatMap(checkName),
    ...checkDoors(paths),
  ]);
});
