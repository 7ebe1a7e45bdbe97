// In: any text of the repository. Out: words and names that must not stand in it.
// Never: holds such a word itself; they are joined from parts here.

import { problemAt, type Problem, type Source } from './source.ts';

const join = (...parts: readonly string[]): string => parts.join('');

const unfinished = [join('TO', 'DO'), join('FIX', 'ME'), join('X', 'XX'), join('HA', 'CK')].join(
  '|',
);
const hosts = [join('registry', '\\.npmjs'), join('deb', '\\.debian')].join('|');
const folders = ['home/[a-z]\\w*', 'Users/\\w+', join('wo', 'rk')].join('|');

const UNFINISHED = new RegExp(`\\b(?:${unfinished})\\b`, 'g');
const FOREIGN = new RegExp(`${hosts}|(?<![\\w.}*])/(?:${folders})/`, 'g');

export function checkWords(source: Source): readonly Problem[] {
  const found = (pattern: RegExp, advice: string): Problem[] =>
    [...source.text.matchAll(pattern)].map((match) =>
      problemAt(source, match.index, `«${match[0]}»: ${advice}`),
    );
  return [
    ...found(UNFINISHED, 'finish it, or write it as an issue'),
    ...found(FOREIGN, 'a host or folder of one machine does not belong here'),
  ];
}
