// In: glob patterns of an operator. Out: one question: does a path match any of them?
// Never: touches a disk.

import picomatch from 'picomatch';

/** Names that begin with a dot match like any other. Cost of a call: one regular expression. */
export function createMatcher(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  const sources = patterns.map((pattern) => picomatch.makeRe(pattern, { dot: true }).source);
  const any = new RegExp(sources.map((source) => `(?:${source})`).join('|'));
  return (path) => any.test(path);
}
