// In front of every handler: params, query and body against their schemas. Body values are never
// coerced;
// a query is text by nature, so whole numbers in it are read as numbers where the schema says so.

import { checkValue } from '@foreshadow/runtime';
import { Refusal } from './problems.ts';

interface RouteSchema {
  readonly schema: object;
  readonly httpPart?: string;
}
type Validated = { readonly value: unknown } | { readonly error: Refusal };

const INTEGER = /^-?\d{1,15}$/;

/** A validator compiler for fastify. */
export function compileValidator(route: RouteSchema): (value: unknown) => Validated {
  const part = route.httpPart ?? 'body';
  const numbers = part === 'querystring' ? integerKeys(route.schema) : [];
  return (given) => {
    const checked = checkValue(route.schema, readIntegers(given, numbers));
    if (checked.mistakes.length === 0) return { value: checked.value };
    const errors = checked.mistakes.map(({ path, problem }) => ({
      pointer: pointerOf(part, path),
      detail: problem,
    }));
    const [first] = errors;
    const where = part === 'querystring' ? 'query' : part;
    const detail = `${where}: ${checked.mistakes[0]?.path.join('.') ?? ''} ${first?.detail ?? ''}`;
    return { error: new Refusal({ status: 400, code: 'REQUEST_INVALID', detail, errors }) };
  };
}

function pointerOf(part: string, path: readonly (string | number)[]): string {
  const tokens = path.map((token) => String(token).replaceAll('~', '~0').replaceAll('/', '~1'));
  const root = part === 'body' ? '' : `/${part === 'querystring' ? 'query' : part}`;
  return `#${root}${tokens.map((token) => `/${token}`).join('')}`;
}

function integerKeys(schema: object): string[] {
  const properties =
    'properties' in schema && typeof schema.properties === 'object' ? schema.properties : {};
  return Object.entries(properties ?? {})
    .filter(([, property]) => isInteger(property))
    .map(([key]) => key);
}

function isInteger(property: unknown): boolean {
  return (
    typeof property === 'object' &&
    property !== null &&
    'type' in property &&
    property.type === 'integer'
  );
}

function readIntegers(given: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0 || typeof given !== 'object' || given === null) return given;
  const entries = Object.entries(given).map(([key, value]: [string, unknown]) =>
    keys.includes(key) && typeof value === 'string' && INTEGER.test(value)
      ? [key, Number(value)]
      : [key, value],
  );
  return Object.fromEntries(entries) as unknown;
}
