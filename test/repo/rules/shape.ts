// In: sources and paths. Out: what is too wide, too long, badly named or without a header.
// Never: formats; oxfmt does. It leans on oxfmt: a block ends where its indentation returns.

import { codeOf, isTest, problemAt, spansOf, type Problem, type Source } from './source.ts';
import { roomOf } from './imports.ts';

export const COLUMNS_MAX = 100;
export const FUNCTION_LINES_MAX = 70;
export const FILE_LINES_MAX = 400;

// An address, and the head of a test, which oxfmt keeps on one line.
const MAY_BE_WIDE = /\bhttps?:\/\/|^test\('/;

/**
 * 100 columns for code and comments alike. One line may be wider: where a literal, which oxfmt
 * cannot break, or an address crosses the edge and would not be shorter alone on its line.
 */
export function checkWidth(source: Source): readonly Problem[] {
  const spans = spansOf(source.text).filter((span) => span.kind === 'literal');
  const problems: Problem[] = [];
  let start = 0;
  for (const line of source.text.split('\n')) {
    const edge = start + COLUMNS_MAX;
    const isWide = line.length > COLUMNS_MAX && !MAY_BE_WIDE.test(line);
    const literal = spans.find((span) => span.end > start && span.end + 4 >= edge);
    const isLiteral = literal !== undefined && literal.start < Math.min(edge, start + line.length);
    if (isWide && !isLiteral)
      problems.push(
        problemAt(source, start, `${line.length} columns; break it, or put the comment above`),
      );
    start += line.length + 1;
  }
  return problems;
}

export function checkFileLength(source: Source): readonly Problem[] {
  const count = source.text.split('\n').length - 1;
  if (count <= FILE_LINES_MAX) return [];
  return [problemAt(source, 0, `${count} lines, more than ${FILE_LINES_MAX}; split it by thought`)];
}

const notFunction =
  /^\s*(?:\} )?(?:if|else|for|while|switch|catch|try|do|finally|class|interface)\b/;

export function checkFunctionLength(source: Source): readonly Problem[] {
  const lines = codeOf(source.text).split('\n');
  const lengths = lines.map((line, index) => {
    const opens = /(?:=>|\)|\)(?::| is) .+|^\s*\}) \{$/.test(line);
    if (!opens) return 0;
    const head = headOf(lines, index);
    if (notFunction.test(lines[head] ?? '')) return 0;
    return endOf(lines, index) - head + 1;
  });
  let offset = 0;
  return lengths.flatMap((length, index) => {
    const start = offset;
    offset += (lines[index]?.length ?? 0) + 1;
    if (length <= FUNCTION_LINES_MAX) return [];
    const message = `a function of ${length} lines, more than ${FUNCTION_LINES_MAX}; name its parts`;
    return [problemAt(source, start, message)];
  });
}

/** A head over several lines: `function f(` … `): Type {`. */
function headOf(lines: readonly string[], index: number): number {
  let head = index;
  const indentation = indentationOf(lines[index] ?? '');
  while (
    head > 0 &&
    (/^\s*[)}\]]/.test(lines[head] ?? '') || indentationOf(lines[head] ?? '') > indentation)
  )
    head -= 1;
  return head;
}

function endOf(lines: readonly string[], index: number): number {
  const indentation = indentationOf(lines[index] ?? '');
  for (let end = index + 1; end < lines.length; end += 1) {
    const line = lines[end] ?? '';
    if (/^\s*\}/.test(line) && indentationOf(line) === indentation) return end;
  }
  return lines.length - 1;
}

function indentationOf(line: string): number {
  return line.trim() === '' ? Infinity : line.search(/\S/);
}

export function checkExports(source: Source): readonly Problem[] {
  const code = codeOf(source.text);
  const ban = (pattern: RegExp, message: string): Problem[] =>
    [...code.matchAll(pattern)].map((match) => problemAt(source, match.index, message));
  return [
    ...ban(/^export default\b/gm, 'no default export; name it'),
    ...ban(/^export \*/gm, 'a door lists names; no export *'),
  ];
}

const forbidden = new Set(
  'util utils helper helpers common misc manager managers base impl'.split(' '),
);

/** Names of files and folders: kebab-case, and saying what is inside. */
export function checkName(path: string): readonly Problem[] {
  const at = (message: string): Problem => ({ path, line: 1, message });
  const problems: Problem[] = [];
  for (const part of path.split('/')) {
    const word = part.split(/[.-]/).find((name) => forbidden.has(name.toLowerCase()));
    if (word !== undefined) problems.push(at(`«${word}» says nothing; name what is inside`));
  }
  const file = path.split('/').at(-1) ?? '';
  if (file.endsWith('.ts') && !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.d)?\.ts$/.test(file))
    problems.push(at('files are named in kebab-case'));
  return problems;
}

const DOOR = /^(?:#!.*\n)?\/\/ In: (?:.*\n\/\/ )*.*\bOut: (?:.*\n)(?:\/\/ .*\n)*?\/\/ Never: /;

/**
 * Every source opens with a comment; a door says what comes in, what goes out, what it never does.
 */
export function checkHeader(source: Source): readonly Problem[] {
  const isDoor = source.path.endsWith('/index.ts') && !isTest(source.path);
  if (isDoor && !DOOR.test(source.text))
    return [problemAt(source, 0, 'a door opens with: // In: … Out: …, then // Never: …')];
  if (source.path.endsWith('.test.ts') || /^(?:#!|\/\/|\/\*)/.test(source.text)) return [];
  return [problemAt(source, 0, 'open the file with a comment: what comes in and goes out')];
}

export function checkDoors(paths: readonly string[]): readonly Problem[] {
  const known = new Set(paths);
  const rooms = new Set(
    paths
      .filter((path) => path.endsWith('.ts') && roomOf(path) !== undefined)
      .map((path) => path.split('/').slice(0, 3).join('/')),
  );
  return [...rooms]
    .filter((room) => !known.has(`${room}/index.ts`))
    .map((room) => ({ path: room, line: 1, message: 'a room has a door: add index.ts' }));
}
