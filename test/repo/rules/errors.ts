// In: sources and docs/reference/errors.md. Out: codes that one of them has and the other lacks.
// Never: runs the code; codes are written as literals so that they can be found.

import { codeOf, isTest, problemAt, spansOf, type Problem, type Source } from './source.ts';

export interface CodeUse {
  readonly code: string;
  readonly source: Source;
  readonly offset: number;
}

const SEVERAL_WORDS = /^'[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+'$/;
const ONE_WORD = /^'[A-Z]{4,}'$/;

// A code of one word is known by its place: `new CodedError('X', …)`, `refuse('X', …)`, `code:
// 'X'`.
const GIVES = /(?:\b(?:\w+Error|refuse|fail|unknown)\(\s*|\bcode:\s*|\breason:\s*)$/i;

// Names which others gave: variables of the environment, errors of libraries and of Node.
const FOREIGN =
  /^(?:FORESHADOW|LEVEL|FST|ERR|NO|NATS_SERVER_BINARY$|XDG|LISTEN_(?:FDS|PID)$)(?:_|$)/;

/** Codes in sources that are no tests: a literal of capitals is a code unless it is foreign. */
export function codesOf(sources: readonly Source[]): readonly CodeUse[] {
  return sources
    .filter(({ path }) => !isTest(path) && !path.startsWith('install/'))
    .flatMap((source) => {
      const code = codeOf(source.text);
      return spansOf(source.text)
        .filter((span) => span.kind === 'literal')
        .map((span) => ({ literal: source.text.slice(span.start, span.end), offset: span.start }))
        .filter(({ literal, offset }) => isCode(literal, code.slice(0, offset)))
        .map(({ literal, offset }) => ({ code: literal.slice(1, -1), source, offset }));
    });
}

function isCode(literal: string, before: string): boolean {
  if (FOREIGN.test(literal.slice(1, -1))) return false;
  return SEVERAL_WORDS.test(literal) || (ONE_WORD.test(literal) && GIVES.test(before.slice(-80)));
}

/** Codes in the first column of the tables of the document. */
export function documentedCodes(document: Source): ReadonlyMap<string, number> {
  const rows = document.text.matchAll(/^\| `([A-Z][A-Z0-9_]*)` \|/gm);
  return new Map([...rows].map((row) => [row[1] ?? '', row.index]));
}

/** Rows are found by eye: each table is in order of its codes. */
export function checkOrder(document: Source): readonly Problem[] {
  const problems: Problem[] = [];
  let before = '';
  let offset = 0;
  for (const line of document.text.split('\n')) {
    const code = /^\| `([A-Z][A-Z0-9_]*)` \|/.exec(line)?.[1] ?? '';
    if (code !== '' && code < before)
      problems.push(problemAt(document, offset, `${code} belongs before ${before}`));
    before = code;
    offset += line.length + 1;
  }
  return problems;
}

export function checkCodes(sources: readonly Source[], document: Source): readonly Problem[] {
  const documented = documentedCodes(document);
  const tests = sources.filter(({ path }) => isTest(path)).map(({ text }) => text);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { code, source, offset } of codesOf(sources)) {
    if (seen.has(code)) continue;
    seen.add(code);
    if (!documented.has(code))
      problems.push(problemAt(source, offset, `${code}: add a row to ${document.path}`));
    if (!tests.some((text) => text.includes(code)))
      problems.push(problemAt(source, offset, `${code}: no test names it; test its case`));
  }
  const literals = sources.filter(({ path }) => !isTest(path)).map(({ text }) => text);
  for (const [code, offset] of documented) {
    if (!literals.some((text) => text.includes(`'${code}'`)))
      problems.push(
        problemAt(document, offset, `${code} is in no source; move it to «Retired codes»`),
      );
  }
  return problems;
}
