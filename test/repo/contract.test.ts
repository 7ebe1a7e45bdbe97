import { test } from 'node:test';
import assert from 'node:assert/strict';
import { VERSION } from '@foreshadow/model';
import { checkLock, checkVersions } from './rules/manifests.ts';
import { checkNumbers, parseProto, type Numbers } from './rules/proto.ts';
import type { Problem } from './rules/source.ts';
import { checkWords } from './rules/words.ts';
import { assertNone, listFiles, readSource } from './tree.ts';

const messages = (problems: readonly Problem[]): string =>
  problems.map(({ line, message }) => `${line}: ${message}`).join('\n');

const proto = `message Order {
  enum Kind {
    NONE = 0; // A comment = 9;
  }
  oneof body {
    string id = 1;
  }
  uint32 size = 3;
  reserved 2;
}`;

test('numbers of fields are read from messages, enumerations and alternatives', () => {
  assert.deepEqual(parseProto(proto), {
    numbers: { 'Order.Kind': { NONE: 0 }, Order: { id: 1, size: 3 } },
    reserved: { Order: [2] },
  });
});

test('a number is never changed, dropped in silence or used again', () => {
  const check = (recorded: Numbers, text = proto): string =>
    messages(checkNumbers({ path: 'a.proto', text }, recorded));
  const same: Numbers = { 'Order.Kind': { NONE: 0 }, Order: { id: 1, gone: 2, size: 3 } };
  assert.equal(check(same), '');
  assert.match(check({ ...same, Order: { id: 1, size: 4 } }), /8: Order\.size was 4/);
  assert.match(check({ ...same, Old: { id: 1 } }), /Old\.id was 1/);
  assert.match(check({ 'Order.Kind': { NONE: 0 }, Order: { id: 1 } }), /Order\.size is new/);
  assert.match(check(same, proto.replace('size = 3', 'size = 1')), /number 1 is used twice/);
  assert.match(check(same, proto.replace('size = 3', 'size = 2')), /reserved number 2/);
});

test('the numbers of the wire contract are those recorded', () => {
  // Ours.
  const recorded = JSON.parse(readSource('proto/numbers.json').text) as Record<string, Numbers>;
  const protos = listFiles().filter((path) => path.endsWith('.proto'));
  assert.deepEqual(Object.keys(recorded).toSorted(), protos);
  assertNone(protos.flatMap((path) => checkNumbers(readSource(path), recorded[path] ?? {})));
});

test('versions are exact and the lock file holds no address', () => {
  const at = (value: unknown) => ({ path: 'a.json', text: JSON.stringify(value, undefined, 1) });
  const manifest = at({ dependencies: { a: '1.0.0', b: '^1.0.0' }, devDependencies: { c: '*' } });
  assert.equal(
    messages(checkVersions(manifest)),
    '4: b: ^1.0.0 may move; write an exact version\n7: c: * may move; write an exact version',
  );
  const lock = at({
    packages: {
      'node_modules/a': { resolved: 'https://example.org/a.tgz', integrity: 'sha512-a' },
      'node_modules/b': { version: '1.0.0' },
      'node_modules/c': { resolved: 'packages/c', link: true },
    },
  });
  assert.match(messages(checkLock(lock)), /a: holds a download address.*\n.*b: has no integrity/);
  assertNone(checkLock(readSource('package-lock.json')));
  const manifests = listFiles().filter((path) => /(?:^|\/)package\.json$/.test(path));
  assertNone(manifests.map(readSource).flatMap(checkVersions));
});

test('all workspaces and programs carry one version', () => {
  const manifests = listFiles().filter((path) => /(?:^|\/)package\.json$/.test(path));
  for (const path of manifests)
    assert.match(readSource(path).text, new RegExp(`"version": "${VERSION}"`), path);
  // It imports only types of the model.
  assert(readSource('agent/src/actuator/main.ts').text.includes(`const VERSION = '${VERSION}';`));
});

test('no word of unfinished things and no name of one machine stands in the repository', () => {
  const planted = [
    ['// TO', 'DO later'],
    ['see https://registry', '.npmjs.org'],
    ['/ho', 'me/ann/a.ts'],
    ['fs: /wo', 'rk/main'],
  ].map((parts) => parts.join(''));
  const check = (text: string): number => checkWords({ path: 'a.md', text }).length;
  for (const text of planted) assert.equal(check(text), 1, text);
  assert.equal(check('todo, hacksaw, framework/main, `/home/**`'), 0);
  const textual = /\.(?:ts|js|json|md|proto|sh|yaml|yml|conf|service|socket)$|^[^.]+$/;
  const paths = listFiles().filter((path) => textual.test(path) && path !== 'package-lock.json');
  assertNone(paths.map(readSource).flatMap(checkWords));
});
