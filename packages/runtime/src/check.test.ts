import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Type, type TSchema } from 'typebox';
import { checkValue } from './check.ts';

/** Every mistake as `path problem`. */
function mistakesOf(schema: TSchema, value: unknown): readonly string[] {
  return checkValue(schema, value).mistakes.map(({ path, problem }) =>
    `${path.join('.')} ${problem}`.trim(),
  );
}

const broker = Type.Object({
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 4222 }),
  host: Type.String({ minLength: 1, maxLength: 5, default: 'here' }),
  labels: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.String())),
});

test('defaults fill what is missing, and the given value stays as it was', () => {
  const given = {};
  assert.deepEqual(checkValue(broker, given), {
    value: { port: 4222, host: 'here' },
    mistakes: [],
  });
  assert.deepEqual(given, {});
});

test('two checks never share a default', () => {
  const schema = Type.Object({ list: Type.Array(Type.String(), { default: [] }) });
  const lists = [0, 1].map(() => (checkValue(schema, {}).value as { list: string[] }).list);
  lists[0]?.push('a');
  assert.deepEqual(lists[1], []);
});

test('nothing is coerced', () => {
  assert.deepEqual(mistakesOf(Type.Number(), '1'), ['must be a number, got "1"']);
  assert.deepEqual(mistakesOf(Type.String(), 1), ['must be text, got 1']);
  assert.deepEqual(mistakesOf(Type.Boolean(), 'true'), ['must be true or false, got "true"']);
  assert.deepEqual(mistakesOf(Type.Object({}), []), ['must be a group of keys, got []']);
  assert.deepEqual(mistakesOf(Type.Array(Type.String()), {}), ['must be a list, got {}']);
  assert.deepEqual(mistakesOf(Type.Null(), 0), ['must be null, got 0']);
});

test('an unknown key is named with the nearest known one', () => {
  assert.deepEqual(mistakesOf(broker, { prot: 1 }), [
    'prot is not a known key; did you mean port?',
  ]);
  assert.deepEqual(mistakesOf(broker, { zzzzzz: 1 }), [
    'zzzzzz is not a known key; known here: port, host, labels',
  ]);
});

test('a missing key without default is required', () => {
  const schema = Type.Object({ name: Type.String() });
  assert.deepEqual(mistakesOf(schema, {}), ['name is required and missing']);
  assert.deepEqual(mistakesOf(schema, { name: undefined }), ['name is required and missing']);
});

test('numbers keep their range and their kind, and NaN is no number', () => {
  const f = (schema: TSchema, value: unknown, expected: string): void =>
    assert.deepEqual(mistakesOf(schema, value), [expected]);
  f(broker, { port: 0 }, 'port must be 1 to 65535, got 0');
  f(Type.Integer(), 1.5, 'must be a whole number, got 1.5');
  f(Type.Integer(), 2 ** 53, 'must be a whole number, got 9007199254740992');
  f(Type.Number({ minimum: 1 }), 0, 'must be at least 1, got 0');
  f(Type.Number({ maximum: 1 }), 2, 'must be at most 1, got 2');
  f(
    Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    0,
    'must be more than 0 and at most 1, got 0',
  );
  f(Type.Number(), Number.NaN, 'must be a number, got NaN');
  f(Type.Number(), Infinity, 'must be a number, got Infinity');
});

test('texts keep their length and their pattern', () => {
  assert.deepEqual(mistakesOf(broker, { host: '' }), ['host needs at least 1 characters, got ""']);
  assert.deepEqual(mistakesOf(broker, { host: 'abcdef' }), [
    'host takes at most 5 characters, got 6',
  ]);
  assert.deepEqual(mistakesOf(Type.String({ pattern: '^a$' }), 'b'), [
    'must look like ^a$, got "b"',
  ]);
});

test('lists keep their length, and an entry is named by its place', () => {
  const schema = Type.Array(Type.Integer(), { minItems: 1, maxItems: 2 });
  assert.deepEqual(mistakesOf(schema, []), ['needs at least 1 entries, got 0']);
  assert.deepEqual(mistakesOf(schema, [1, 2, 3]), ['takes at most 2 entries, got 3']);
  assert.deepEqual(mistakesOf(schema, [1, 'a']), ['1 must be a number, got "a"']);
});

test('keys of a record keep their pattern and their count', () => {
  assert.deepEqual(mistakesOf(broker, { labels: { a: 'x', 'B!': 'y' } }), [
    'labels.B! is a key that must look like ^[a-z]+$',
  ]);
  const few = Type.Record(Type.String(), Type.String(), { maxProperties: 1 });
  assert.deepEqual(mistakesOf(few, { a: 'x', b: 'y' }), ['takes at most 1 keys, got 2']);
});

test('a key named __proto__ changes no prototype', () => {
  const value: unknown = JSON.parse('{"__proto__": {"isAdmin": "yes"}}');
  const schema = Type.Record(Type.String(), Type.Unknown());
  const checked = checkValue(schema, value);
  assert.equal(checked.mistakes.length, 1);
  assert.equal(Object.getPrototypeOf(checked.value), Object.prototype);
});

test('of alternatives, constants are listed, and else the nearest one explains itself', () => {
  const level = Type.Union([Type.Literal('debug'), Type.Literal('info')]);
  assert.deepEqual(mistakesOf(level, 'loud'), ['must be one of "debug", "info", got "loud"']);
  assert.deepEqual(mistakesOf(Type.Enum(['a', 'b']), 'c'), ['must be one of "a", "b", got "c"']);
  assert.deepEqual(mistakesOf(Type.Literal(1), 2), ['must be 1, got 2']);
  const order = Type.Union([
    Type.Object({ kind: Type.Literal('a'), size: Type.Integer() }),
    Type.Object({ kind: Type.Literal('b') }),
  ]);
  assert.deepEqual(mistakesOf(order, { kind: 'a', size: 'x' }), ['size must be a number, got "x"']);
});

test('a schema with a rule that would be skipped is refused', () => {
  assert.throws(() => checkValue({ type: 'string', format: 'email' }, 'a'), TypeError);
  assert.throws(() => checkValue({ type: 'date' }, 'a'), TypeError);
  assert.throws(() => checkValue({ type: 'object', additionalProperties: true }, {}), TypeError);
});

test('every value is either valid or has a mistake, and a valid one comes back the same', () => {
  const schema = Type.Object({
    port: Type.Integer({ minimum: 1, maximum: 9 }),
    name: Type.Optional(Type.String({ maxLength: 3 })),
  });
  const near = fc.record(
    { port: fc.oneof(fc.integer({ max: 12 }), fc.anything()), name: fc.string({ maxLength: 5 }) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(near, fc.anything()), (value) => {
      const checked = checkValue(schema, value);
      if (checked.mistakes.length === 0)
        assert.deepEqual({ ...(checked.value as object) }, { ...(value as object) });
    }),
  );
});
