import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Type } from 'typebox';
import { CONFIG_BYTES_MAX, parseConfig } from './config.ts';
import { CodedError } from './errors.ts';

const schema = Type.Object({
  host: Type.String({ default: 'a' }),
  limits: Type.Object(
    { cpuRatio: Type.Number({ default: 0.1 }), isOn: Type.Boolean({ default: false }) },
    { default: {} },
  ),
  pairs: Type.Array(Type.Object({ shadow: Type.String() }), { default: [] }),
});

const defaults = { host: 'a', limits: { cpuRatio: 0.1, isOn: false }, pairs: [] };

const parse = (text: string, variables: Record<string, string> = {}): unknown =>
  parseConfig(schema, {
    source: { path: 'a.yaml', text },
    environment: { prefix: 'FORESHADOW_TEST', variables },
  });

function refusal(text: string, variables?: Record<string, string>): string {
  try {
    parse(text, variables);
  } catch (error) {
    assert(error instanceof CodedError);
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message;
  }
  throw new assert.AssertionError({ message: `accepted: ${text}` });
}

test('no file, an empty file and an empty group are the defaults', () => {
  assert.deepEqual(parseConfig(schema, {}), defaults);
  assert.deepEqual(parse(''), defaults);
  assert.deepEqual(parse('# nothing\nlimits: {}\n'), defaults);
});

test('the environment wins over the file, and the file over the defaults', () => {
  assert.deepEqual(parse('host: b\nlimits: { cpuRatio: 0.2 }', { FORESHADOW_TEST_HOST: '7' }), {
    ...defaults,
    host: '7',
    limits: { cpuRatio: 0.2, isOn: false },
  });
  const environment = {
    FORESHADOW_TEST_LIMITS_CPU_RATIO: '0.3',
    FORESHADOW_TEST_LIMITS_IS_ON: 'true',
  };
  assert.deepEqual(parse('', environment), { ...defaults, limits: { cpuRatio: 0.3, isOn: true } });
});

test('a wrong value of the environment is blamed on its variable, and not on the file', () => {
  assert.equal(
    refusal('limits:\n  cpuRatio: 1\n', { FORESHADOW_TEST_LIMITS_CPU_RATIO: 'abc' }),
    'FORESHADOW_TEST_LIMITS_CPU_RATIO: limits.cpuRatio must be a number, got "abc"',
  );
  assert.match(
    refusal('limits: 1\n', { FORESHADOW_TEST_LIMITS_CPU_RATIO: '1' }),
    /^a\.yaml:1:1: limits must be a group of keys, got 1$/,
  );
});

test('an unknown variable of this program is named, and the nearest known one where one is near', () => {
  const far = 'FORESHADOW_TEST_PAIRS is not a known variable; unset it';
  assert.equal(refusal('', { FORESHADOW_TEST_PAIRS: 'a list is set in the file' }), far);
  assert.equal(
    refusal('', { FORESHADOW_TEST_HOTS: 'a' }),
    'FORESHADOW_TEST_HOTS is not a known variable; did you mean FORESHADOW_TEST_HOST?',
  );
  assert.equal(refusal('host: 1', { FORESHADOW_TEST_HOTS: 'a' }).split('\n').length, 2);
  const others = { FORESHADOW_URL: 'a', FORESHADOW_TESTS: 'a', foreshadow_test_host: 'a' };
  assert.deepEqual(parse('', others), defaults);
});

test('a wrong key is named with its place and the nearest known key', () => {
  assert.equal(
    refusal('host: b\nlimits:\n  cpuRation: 1\n'),
    'a.yaml:3:3: limits.cpuRation is not a known key; did you mean cpuRatio?',
  );
});

test('a wrong value of a list is named with its place', () => {
  assert.equal(
    refusal('pairs:\n  - shadow: b\n  - shadow: 1\n'),
    'a.yaml:3:5: pairs.1.shadow must be text, got 1',
  );
  assert.equal(refusal('pairs:\n  - b\n'), 'a.yaml:2:5: pairs.0 must be a group of keys, got "b"');
});

test('every mistake is told at once, at most ten, each bounded', () => {
  assert.equal(refusal('host: 1\nlimits: { isOn: 1 }\n').split('\n').length, 2);
  assert.equal(
    refusal(Array.from({ length: 30 }, (_, i) => `k${i}: 1`).join('\n')).split('\n').length,
    10,
  );
  assert(refusal(`${'k'.repeat(900)}: 1`).length < 600);
});

test('a file that is no group of keys, and broken YAML, are refused', () => {
  assert.match(refusal('- a\n'), /^a\.yaml: the file must be a group of keys/);
  assert.match(refusal('host: [\n'), /^a\.yaml: /);
  assert.match(refusal('host: a\nhost: b\n'), /unique/);
});

test('aliases, which can grow a small file without end, are refused', () => {
  assert.match(refusal('host: &a b\nlimits: *a\n'), /aliases/);
});

test('a file that is too large or nested too deeply is refused', () => {
  assert.match(refusal(`#${'x'.repeat(CONFIG_BYTES_MAX)}`), /make it smaller/);
  refusal(`host: ${'['.repeat(100_000)}`);
});

test('any text is either a configuration or a coded refusal', () => {
  const lines = fc.constantFrom(
    'host: b',
    'limits:',
    '  cpuRatio: 1',
    '- a',
    '*a',
    '&a',
    '{',
    '?',
    '!!x',
    '\t',
    '%',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(lines, fc.string())), (parts) => {
      try {
        parse(parts.join('\n'));
      } catch (error) {
        assert(error instanceof CodedError, String(error));
      }
    }),
  );
});
