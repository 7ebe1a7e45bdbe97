// In: sources and manifests. Out: imports that the map of the house does not have.
// Never: resolves a package; names and relative paths say enough.

import { posix } from 'node:path';
import { codeOf, isTest, problemAt, type Problem, type Source } from './source.ts';

export interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly offset: number;
}

const IMPORT =
  /^[ \t]*(?:import|export)\s+(type\s+)?[^;'"]*?from\s*'( *)'|^[ \t]*import\s*'( *)'|\bimport\(\s*'( *)'|\bnew URL\(\s*'( *)',\s*import\.meta\.url/gm;

/** Static, dynamic and worker (`new URL('./x.ts', import.meta.url)`) imports in order. */
export function importsOf(text: string): readonly Import[] {
  return [...codeOf(text).matchAll(IMPORT)].map((match) => {
    const end = match.index + match[0].lastIndexOf("'");
    const start = match.index + match[0].indexOf("'") + 1;
    return {
      specifier: text.slice(start, end),
      isTypeOnly: match[1] !== undefined,
      offset: match.index + match[0].search(/\S/),
    };
  });
}

/** `agent/src/host/proc.ts` is of workspace `agent`; `packages/wire/src/frame.ts` of `wire`. */
export function workspaceOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'packages' ? second : first;
}

/** The room of a file of a program; absent for files that stand beside the rooms, and elsewhere. */
export function roomOf(path: string): string | undefined {
  const [program, source, room, file] = path.split('/');
  const isProgram = (program === 'agent' || program === 'controller') && source === 'src';
  return isProgram && file !== undefined ? room : undefined;
}

// DESIGN, «Direction». The workspace `test` may import everything.
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  runtime: [],
  series: ['model'],
  configuration: ['model'],
  wire: ['model', 'runtime'],
  client: ['model', 'runtime'],
  cli: ['client', 'series', 'runtime', 'model'],
  agent: ['model', 'runtime', 'wire', 'configuration'],
  controller: ['model', 'runtime', 'wire', 'series', 'configuration', 'client'],
};

const SCOPE = '@foreshadow/';

export function checkDirection(source: Source): readonly Problem[] {
  const from = workspaceOf(source.path);
  const allowed = mayImport[from];
  if (allowed === undefined) return [];
  return importsOf(source.text).flatMap(({ specifier, offset }) => {
    if (!specifier.startsWith(SCOPE)) return [];
    const [to = '', ...deeper] = specifier.slice(SCOPE.length).split('/');
    if (deeper.length > 0)
      return [problemAt(source, offset, `${specifier}: import ${SCOPE}${to} by its door instead`)];
    if (allowed.includes(to)) return [];
    const list = allowed.length === 0 ? 'no workspace' : allowed.join(', ');
    return [
      problemAt(
        source,
        offset,
        `${from} may not import ${to}; it may import ${list}. Move the type`,
      ),
    ];
  });
}

/**
 * Rooms meet in the files beside them (`main.ts`, `pipeline.ts`, `config.ts`, …), which may enter
 * several and import each other. `main.ts` comes last: it starts things, and nothing imports it.
 */
export function checkRooms(source: Source): readonly Problem[] {
  const room = roomOf(source.path);
  const [program = ''] = source.path.split('/');
  return importsOf(source.text).flatMap(({ specifier, offset }) => {
    if (!specifier.startsWith('.')) return [];
    const target = posix.normalize(posix.join(posix.dirname(source.path), specifier));
    if (workspaceOf(target) !== workspaceOf(source.path))
      return [problemAt(source, offset, `${specifier} leaves its workspace; import its package`)];
    const problem = (message: string): Problem[] => [problemAt(source, offset, message)];
    if (target.endsWith('/main.ts'))
      return problem(`${specifier} starts a program; nothing imports it. Move what you need`);
    const targetRoom = roomOf(target);
    if (targetRoom === room) return [];
    if (room !== undefined) {
      const other = targetRoom === undefined ? specifier : `room ${targetRoom}`;
      return problem(`room ${room} imports ${other}; pass it in, in ${program}/src/pipeline.ts`);
    }
    return target.endsWith(`/${targetRoom}/index.ts`)
      ? []
      : problem(`enter room ${targetRoom} by its index.ts`);
  });
}

const anySchema = /(?:^|[/-])(?:config|schemas?)(?:\.test)?\.ts$|\/schemas?\//;

// Each dependency can be replaced in one place.
const owners: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  systeminformation: ['agent/src/host/'],
  '@nats-io/transport-node': ['packages/wire/'],
  '@nats-io/jetstream': ['packages/wire/'],
  '@grpc/grpc-js': ['packages/wire/'],
  '@grpc/proto-loader': ['packages/wire/'],
  protobufjs: ['packages/wire/'],
  level: ['controller/src/store/'],
  'ml-regression': ['packages/series/'],
  fastify: ['controller/src/api/'],
  'prom-client': ['controller/src/api/'],
  yaml: ['packages/runtime/'],
  typebox: ['packages/model/', 'packages/runtime/', anySchema],
  commander: ['packages/cli/'],
  picomatch: ['agent/src/fingerprints/'],
  esbuild: ['install/'],
};

export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

export function checkOwners(source: Source): readonly Problem[] {
  if (source.path.startsWith('test/')) return [];
  return importsOf(source.text).flatMap(({ specifier, offset }) => {
    const name = packageOf(specifier);
    if (name === undefined || name.startsWith(SCOPE)) return [];
    if (name === 'fast-check' && isTest(source.path)) return [];
    const rooms = owners[name];
    if (rooms === undefined)
      return [problemAt(source, offset, `${name} has no owner room; name one in rules/imports.ts`)];
    const isOwner = rooms.some((room) =>
      typeof room === 'string' ? source.path.startsWith(room) : room.test(source.path),
    );
    if (isOwner) return [];
    const list = rooms.map((room) => (typeof room === 'string' ? room : 'schema files')).join(', ');
    return [problemAt(source, offset, `${name} belongs to ${list}; ask that room instead`)];
  });
}

/** @param declared names of the dependencies of the source's own workspace */
export function checkDeclared(source: Source, declared: ReadonlySet<string>): readonly Problem[] {
  return importsOf(source.text).flatMap(({ specifier, offset }) => {
    const name = packageOf(specifier);
    if (name === undefined || declared.has(name)) return [];
    const workspace = workspaceOf(source.path);
    return [problemAt(source, offset, `${name} is not in the package.json of ${workspace}`)];
  });
}

/** The actuator runs as root: it brings nothing of npm along, and meets the agent in types only. */
export function checkActuator(source: Source): readonly Problem[] {
  if (!source.path.startsWith('agent/src/actuator/') || isTest(source.path)) return [];
  return importsOf(source.text).flatMap(({ specifier, isTypeOnly, offset }) => {
    const name = packageOf(specifier);
    if (name === undefined || name === `${SCOPE}configuration` || isTypeOnly) return [];
    return [
      problemAt(
        source,
        offset,
        `the actuator imports node:*, its own files, types and ${SCOPE}configuration; not ${name}`,
      ),
    ];
  });
}

/**
 * Cycles among files, types included: what needs each other is one file. Cost linear in the
 * imports.
 */
export function checkCycles(sources: readonly Source[]): readonly Problem[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const state = new Map<string, 'open' | 'done'>();
  const problems: Problem[] = [];
  const visit = (source: Source): void => {
    state.set(source.path, 'open');
    for (const { specifier, offset } of importsOf(source.text)) {
      if (!specifier.startsWith('.')) continue;
      const target = posix.normalize(posix.join(posix.dirname(source.path), specifier));
      const next = byPath.get(target);
      if (next === undefined || state.get(target) === 'done') continue;
      if (state.get(target) === 'open')
        problems.push(
          problemAt(source, offset, `${specifier} closes a cycle; move what both need`),
        );
      else visit(next);
    }
    state.set(source.path, 'done');
  };
  for (const source of sources) if (!state.has(source.path)) visit(source);
  return problems;
}

/** @param isEntry whether a file is started or imported from outside */
export function checkReached(
  sources: readonly Source[],
  isEntry: (path: string) => boolean,
): readonly Problem[] {
  const reached = new Set<string>();
  for (const source of sources) {
    if (source.path.endsWith('.test.ts')) continue;
    for (const { specifier } of importsOf(source.text)) {
      if (specifier.startsWith('.'))
        reached.add(posix.normalize(posix.join(posix.dirname(source.path), specifier)));
    }
  }
  return sources
    .filter(({ path }) => !isTest(path) && !path.endsWith('.d.ts'))
    .filter(({ path }) => !reached.has(path) && !isEntry(path))
    .map((source) => problemAt(source, 0, 'no file imports this one; join it or remove it'));
}
