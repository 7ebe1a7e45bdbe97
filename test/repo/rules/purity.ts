// In: sources. Out: places where a clock, randomness, the environment or I/O is reached for.
// Never: judges what is injected; a `Clock` or a `Disk` given as an argument is the right way.

import { importsOf } from './imports.ts';
import { codeOf, problemAt, type Problem, type Source } from './source.ts';

const pureRooms = [
  'packages/model/src/',
  'packages/series/src/',
  'packages/configuration/src/',
  'controller/src/pairing/',
  'controller/src/deviation/',
  'controller/src/verdict/',
  'controller/src/policy/',
];

const pureBuiltins = new Set(['node:assert', 'node:assert/strict', 'node:crypto', 'node:path']);

interface Ban {
  readonly pattern: RegExp;
  readonly message: string;
  readonly isAllowed: (path: string) => boolean;
}

const isInTestWorkspace = (path: string): boolean => path.startsWith('test/');
const isMain = (path: string): boolean => /[/-]main\.ts$/.test(path);

const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/g,
    message: 'take the time from an injected Clock',
    isAllowed: (path) => isClock(path) || isInTestWorkspace(path) || path.startsWith('install/'),
  },
  {
    pattern: /\bset(?:Timeout|Interval)\b/g,
    message: 'wait with an injected Clock; a test advances a fake one',
    isAllowed: (path) => isClock(path) || isInTestWorkspace(path),
  },
  {
    // A main may bound its own end by it: the last thing that it does, without a room to ask.
    pattern: /\bAbortSignal\.timeout\b/g,
    message: 'wait with an injected Clock; only main.ts bounds itself so',
    isAllowed: (path) => isClock(path) || isMain(path) || isInTestWorkspace(path),
  },
  {
    pattern: /\bMath\.random\b/g,
    message: 'take an injected Random, seeded in tests',
    isAllowed: () => false,
  },
  {
    pattern: /\bprocess\.env\b/g,
    message: 'only main.ts reads the environment; pass the value in',
    isAllowed: (path) =>
      isMain(path) || isInTestWorkspace(path) || path.startsWith('packages/cli/bin/'),
  },
];

/**
 * The actuator carries no package of ours at run time, so its main makes the clock for its rooms.
 */
function isClock(path: string): boolean {
  const isRuntime = /^packages\/runtime\/src\/clock(?:\.test)?\.ts$/.test(path);
  return isRuntime || path === 'agent/src/actuator/main.ts';
}

const impure =
  /\basync\b|\bawait\b|\bsetImmediate\b|\bprocess\.|\brandom(?:Bytes|UUID|Int)\b|\bfetch\(/g;

export function checkPurity(source: Source): readonly Problem[] {
  const code = codeOf(source.text);
  const problems = bans
    .filter((ban) => !ban.isAllowed(source.path))
    .flatMap(({ pattern, message }) => found(source, code, pattern, message));
  problems.push(
    ...importsOf(source.text)
      .filter(
        ({ specifier }) => specifier.startsWith('node:timers') && !isInTestWorkspace(source.path),
      )
      .map(({ offset }) => problemAt(source, offset, 'node:timers: wait with an injected Clock')),
  );
  if (!isPureRoom(source.path)) return problems;
  return [
    ...problems,
    ...found(source, code, impure, 'a pure room computes at once, from its arguments alone'),
    ...importsOf(source.text)
      .filter(({ specifier }) => specifier.startsWith('node:') && !pureBuiltins.has(specifier))
      .map(({ specifier, offset }) =>
        problemAt(source, offset, `${specifier} does I/O; a pure room is given what it needs`),
      ),
  ];
}

function isPureRoom(path: string): boolean {
  return !path.endsWith('.test.ts') && pureRooms.some((room) => path.startsWith(room));
}

function found(source: Source, code: string, pattern: RegExp, message: string): Problem[] {
  return [...code.matchAll(pattern)].map((match) =>
    problemAt(source, match.index, `${match[0]}: ${message}`),
  );
}
