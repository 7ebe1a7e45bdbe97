import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  checkActuator,
  checkCycles,
  checkDeclared,
  checkDirection,
  checkOwners,
  checkReached,
  checkRooms,
  importsOf,
  workspaceOf,
} from './rules/imports.ts';
import { dependenciesOf, parseManifest } from './rules/manifests.ts';
import type { Problem, Source } from './rules/source.ts';
import { assertNone, readSource, readSources } from './tree.ts';

const sources = readSources();

const at = (path: string, ...lines: string[]): Source => ({ path, text: lines.join('\n') });
const messages = (problems: readonly Problem[]): string =>
  problems.map(({ line, message }) => `${line}: ${message}`).join('\n');

test('every form of import is seen, and none within a literal or a comment', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type {\n  B,\n} from './b.ts';",
    "export { c } from './c.ts';",
    "const d = await import('./d.ts');",
    "const e = new Worker(new URL('./e.ts', import.meta.url));",
    "import 'f';",
    "// import { g } from './g.ts';",
    'const h = "import { h } from \'./h.ts\';";',
  ].join('\n');
  assert.deepEqual(
    importsOf(text).map(({ specifier }) => specifier),
    ['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', 'f'],
  );
  assert.deepEqual(
    importsOf(text).map(({ isTypeOnly }) => isTypeOnly),
    [false, true, false, false, false, false],
  );
});

test('a workspace imports only those before it, by their doors', () => {
  const model = at('packages/model/src/a.ts', "import { b } from '@foreshadow/runtime';");
  assert.match(messages(checkDirection(model)), /1: model may not import runtime/);
  const agent = at('agent/src/host/a.ts', "import { c } from '@foreshadow/controller';");
  assert.match(messages(checkDirection(agent)), /agent may not import controller/);
  const deep = at('agent/src/host/a.ts', "import { d } from '@foreshadow/wire/src/frame.ts';");
  assert.match(messages(checkDirection(deep)), /by its door/);
  assertNone(sources.flatMap(checkDirection));
});

test('rooms do not import rooms', () => {
  const room = at('agent/src/spool/a.ts', "import type { B } from '../host/index.ts';");
  assert.match(messages(checkRooms(room)), /room spool imports room host/);
  const deep = at('agent/src/pipeline.ts', "import { b } from './host/proc.ts';");
  assert.match(messages(checkRooms(deep)), /enter room host by its index.ts/);
  const up = at('agent/src/spool/a.ts', "import { b } from '../config.ts';");
  assert.match(messages(checkRooms(up)), /room spool imports \.\.\/config\.ts; pass it in/);
  const away = at('agent/src/main.ts', "import { b } from '../../controller/src/a.ts';");
  assert.match(messages(checkRooms(away)), /leaves its workspace/);
  assertNone(sources.filter(({ path }) => !path.startsWith('test/')).flatMap(checkRooms));
});

test('files beside the rooms join several of them and each other, and main comes last', () => {
  const joins = [
    "import { a } from './a/index.ts';",
    "import { b } from './b/index.ts';",
    "import { c } from './config.ts';",
  ];
  assert.equal(messages(checkRooms(at('agent/src/answers.ts', ...joins))), '');
  assert.equal(messages(checkRooms(at('agent/src/main.ts', ...joins))), '');
  const backwards = at('controller/src/pipeline.ts', "import { x } from './main.ts';");
  assert.match(messages(checkRooms(backwards)), /main\.ts starts a program; nothing imports it/);
});

test('each dependency has one owner', () => {
  const planted = at('controller/src/policy/a.ts', "import { Level } from 'level';");
  assert.match(messages(checkOwners(planted)), /level belongs to controller\/src\/store/);
  const unowned = at('controller/src/policy/a.ts', "import x from 'left-pad';");
  assert.match(messages(checkOwners(unowned)), /left-pad has no owner/);
  const schema = at('agent/src/sampler/config.ts', "import { Type } from 'typebox';");
  assert.equal(messages(checkOwners(schema)), '');
  assertNone(sources.flatMap(checkOwners));
});

test('every imported package is declared by its workspace', () => {
  const namesIn = (folder: string): readonly string[] => {
    const manifest = parseManifest(readSource(`${folder}package.json`).text);
    return dependenciesOf(manifest).keys().toArray();
  };
  const tools = namesIn('');
  const folders = [...new Set(sources.map(({ path }) => folderOf(path)))];
  const everything = new Set([...tools, ...folders.flatMap(namesIn)]);
  const check = (source: Source): readonly Problem[] => {
    // Tests that span rooms may take what any of these rooms takes: npm keeps one version of each.
    if (source.path.startsWith('test/')) return checkDeclared(source, everything);
    const own = namesIn(folderOf(source.path));
    const isTest = source.path.endsWith('.test.ts');
    return checkDeclared(source, new Set(isTest ? [...own, ...tools] : own));
  };
  const planted = at('packages/model/src/a.ts', "import x from 'yaml';", "import 'node:path';");
  assert.match(messages(check(planted)), /^1: yaml is not in the package.json of model$/);
  assertNone(sources.flatMap(check));
});

/** Where the package.json of a file's workspace lies; the installer belongs to the root. */
function folderOf(path: string): string {
  if (path.startsWith('install/')) return '';
  return path.startsWith('packages/') ? `packages/${workspaceOf(path)}/` : `${workspaceOf(path)}/`;
}

test('the actuator brings no package along', () => {
  const planted = at(
    'agent/src/actuator/a.ts',
    "import { CodedError } from '@foreshadow/runtime';",
  );
  assert.match(messages(checkActuator(planted)), /not @foreshadow\/runtime/);
  const types = at('agent/src/actuator/a.ts', "import type { Order } from '@foreshadow/model';");
  assert.equal(messages(checkActuator(types)), '');
  assertNone(sources.flatMap(checkActuator));
});

test('files do not import each other in a circle', () => {
  const circle = [
    at('packages/model/src/a.ts', "import { b } from './b.ts';"),
    at('packages/model/src/b.ts', "import { c } from './c.ts';"),
    at('packages/model/src/c.ts', '', "import { a } from './a.ts';"),
  ];
  assert.match(messages(checkCycles(circle)), /^2: \.\/a\.ts closes a cycle/);
  assertNone(checkCycles(sources));
});

test('every file is imported by somebody or is an entry', () => {
  const isEntry = (path: string): boolean =>
    /[/-]main\.ts$|^packages\/[^/]+\/src\/index\.ts$|^install\//.test(path);
  const planted = [
    at('agent/src/main.ts', "import './a.ts';"),
    at('agent/src/a.ts'),
    at('agent/src/b.ts'),
  ];
  assert.deepEqual(
    checkReached(planted, isEntry).map(({ path }) => path),
    ['agent/src/b.ts'],
  );
  assertNone(checkReached(sources, isEntry));
});
