// In: a YAML file, the environment and a TypeBox schema. Out: a complete, checked configuration.
// Never: guesses; an unknown key or variable and a wrong value are errors that name it, its place
// and the nearest known one.

import { LineCounter, isMap, isScalar, isSeq, parseDocument, type Document } from 'yaml';
import type { Static, TSchema } from 'typebox';
import { checkValue, type Mistake } from './check.ts';
import { CodedError } from './errors.ts';
import { nearest } from './nearest.ts';

export const CONFIG_BYTES_MAX = 1024 * 1024;
const MISTAKES_SHOWN_MAX = 10;
const MISTAKE_LENGTH_MAX = 500;

export interface ConfigSource {
  /** Shown in errors. */
  readonly path: string;
  readonly text: string;
}

/** Variables of a program. */
export interface ConfigEnvironment {
  /** The program's own; each variable that begins with it and `_` is meant for this program. */
  readonly prefix: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * Joins environment over file over the schema's defaults, and checks the whole.
 * A key `broker.port` is set by `<prefix>_BROKER_PORT`; camel case becomes `_`: `limits.cpuRatio`
 * is `<prefix>_LIMITS_CPU_RATIO`.
 *
 * @param source the file; absent for defaults and environment only
 * @throws CodedError CONFIG_INVALID with every mistake, at most ten
 */
export function parseConfig<Schema extends TSchema>(
  schema: Schema,
  options: { readonly source?: ConfigSource; readonly environment?: ConfigEnvironment },
): Static<Schema> {
  const { source, environment } = options;
  const lines = new LineCounter();
  const where = source?.path ?? 'configuration';
  const document = source === undefined ? undefined : parseYaml(source, lines);
  const root: unknown = document === undefined ? {} : (plainValue(document, where) ?? {});
  const value = isRecord(root) ? root : { '': root };
  const set = environment === undefined ? noneSet : applyEnvironment(schema, value, environment);
  const checked = checkValue(schema, isRecord(root) ? value : root);
  const mistakes = [
    ...set.unknown,
    ...checked.mistakes.map((mistake) => {
      const variable = set.byKey.get(mistake.path.join('.'));
      return `${variable ?? position(document, lines, where, mistake)}: ${sentence(mistake)}`;
    }),
  ];
  // checkValue found that the value has the schema's shape.
  if (mistakes.length === 0) return checked.value as Static<Schema>;
  const shown = mistakes
    .slice(0, MISTAKES_SHOWN_MAX)
    .map((line) => line.slice(0, MISTAKE_LENGTH_MAX));
  throw invalid(shown.join('\n'));
}

function invalid(message: string, cause?: unknown): CodedError {
  return new CodedError('CONFIG_INVALID', message, { cause });
}

function parseYaml(source: ConfigSource, lineCounter: LineCounter): Document {
  if (source.text.length > CONFIG_BYTES_MAX)
    throw invalid(
      `${source.path} has ${source.text.length} characters, more than ${CONFIG_BYTES_MAX}; make it smaller`,
    );
  try {
    const document = parseDocument(source.text, { lineCounter, uniqueKeys: true });
    const [syntaxError] = document.errors;
    if (syntaxError === undefined) return document;
    throw invalid(`${source.path}: ${syntaxError.message}`);
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    // A RangeError of the stack.
    throw invalid(`${source.path} is nested too deeply to be read`, cause);
  }
}

function plainValue(document: Document, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw invalid(`${where}: write values out; aliases (*name) are not read`, cause);
  }
}

function sentence(mistake: Mistake): string {
  return `${mistake.path.length === 0 ? 'the file' : mistake.path.join('.')} ${mistake.problem}`;
}

function position(
  document: Document | undefined,
  lines: LineCounter,
  where: string,
  mistake: Mistake,
): string {
  for (let depth = mistake.path.length; depth > 0; depth -= 1) {
    const range = keyRange(document, mistake.path.slice(0, depth));
    if (range !== undefined) {
      const { line, col } = lines.linePos(range);
      return `${where}:${line}:${col}`;
    }
  }
  return where;
}

/** Offset of the last key of `path` in the text. */
function keyRange(
  document: Document | undefined,
  path: readonly (string | number)[],
): number | undefined {
  const parent: unknown =
    document?.getIn(path.slice(0, -1), true) ??
    (path.length === 1 ? document?.contents : undefined);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  if (isSeq(parent) && typeof last === 'number') {
    const item: unknown = parent.items[last];
    return typeof item === 'object' && item !== null && 'range' in item && Array.isArray(item.range)
      ? (item.range[0] as number)
      : undefined;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the environment has set. */
interface FromEnvironment {
  /** Key, such as `api.port` → the variable that set it. */
  readonly byKey: ReadonlyMap<string, string>;
  /** A sentence for each variable that sets nothing. */
  readonly unknown: readonly string[];
}

const noneSet: FromEnvironment = { byKey: new Map(), unknown: [] };

function applyEnvironment(
  schema: TSchema,
  value: Record<string, unknown>,
  { prefix, variables }: ConfigEnvironment,
): FromEnvironment {
  const byKey = new Map<string, string>();
  const known = variablesOf(schema, prefix);
  for (const { name, path, isText } of known) {
    const text = variables[name];
    if (text === undefined) continue;
    setIn(value, path, isText ? text : scalar(text));
    byKey.set(path.join('.'), name);
  }
  const own = `${prefix}_`;
  // Without the prefix, which would make any two of them near.
  const names = known.map(({ name }) => name.slice(own.length));
  const unknown = Object.keys(variables)
    .filter((name) => name.startsWith(own) && variables[name] !== undefined)
    .map((name) => name.slice(own.length))
    .filter((name) => !names.includes(name))
    .map((name) => {
      const close = nearest(name, names);
      const advice = close === undefined ? 'unset it' : `did you mean ${own}${close}?`;
      return `${own}${name} is not a known variable; ${advice}`;
    });
  return { byKey, unknown };
}

interface Variable {
  readonly name: string;
  readonly path: readonly string[];
  readonly isText: boolean;
}

/** Single values of nested objects; lists and maps are set in the file. */
function variablesOf(
  schema: TSchema,
  prefix: string,
  path: readonly string[] = [],
): readonly Variable[] {
  const properties = 'properties' in schema && isRecord(schema.properties) ? schema.properties : {};
  return Object.entries(properties).flatMap(([key, child]) => {
    const name = `${prefix}_${key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;
    const own = [...path, key];
    if (isRecord(child) && child['type'] === 'object') return variablesOf(child, name, own);
    if (isRecord(child) && child['type'] === 'array') return [];
    return [{ name, path: own, isText: isRecord(child) && child['type'] === 'string' }];
  });
}

/** Leaves a value of the file alone that is no group of keys: checking tells of it. */
function setIn(value: Record<string, unknown>, path: readonly string[], set: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    value[key] = set;
    return;
  }
  const group = (value[key] ??= {});
  if (isRecord(group)) setIn(group, rest, set);
}

function scalar(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
