// In: sources and docs/reference/errors.md. Out: codes that one of them has and the other lacks.
// Never: runs the code; codes are written as literals so that they can be found.

import { codeOf, isTest, problemAt, spansOf, type Problem, type Source } from './source.ts';

export interface CodeUse {
  readonly code: string;
  readonly source: Source;
  readonly offset: number;
}

const CODE = /^'[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+'$|^'[A-Z]{4,}'$/;

// A code is given first (`new CodedError('X', …)`, `refuse('X', …)`) or by name (`code: 'X'`).
const GIVES =
  /(?:\b(?:CodedError|[a-z]*(?:[rR]efuse|[fF]ail|[cC]oded|[pP]roblem|[iI]nvalid)\w*)\(\s*|\b(?:c|\w+C)ode:\s*)$/;

/** Codes given in sources that are no tests. */
export function codesOf(sources: readonly Source[]): readonly CodeUse[] {
  return sources
    .filter(({ path }) => !isTest(path))
    .flatMap((source) => {
      const code = codeOf(source.text);
      return spansOf(source.text)
        .filter((span) => span.kind === 'literal')
        .map((span) => ({ literal: source.text.slice(span.start, span.end), offset: span.start }))
        .filter(({ literal, offset }) => CODE.test(literal) && isGiven(code, offset))
        .map(({ literal, offset }) => ({ code: literal.slice(1, -1), source, offset }));
    });
}

function isGiven(code: string, offset: number): boolean {
  return GIVES.test(code.slice(Math.max(0, offset - 80), offset));
}

/** Codes in the first column of the tables of the document. */
export function documentedCodes(document: Source): ReadonlyMap<string, number> {
  const rows = document.text.matchAll(/^\| `([A-Z][A-Z0-9_]*)` \|/gm);
  return new Map([...rows].map((row) => [row[1] ?? '', row.index]));
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
