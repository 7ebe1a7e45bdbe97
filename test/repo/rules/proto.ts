// In: the text of `.proto` files and the recorded numbers.
// Out: numbers that were changed or reused.
// Never: judges names alone; a rename keeps its number and is a decision all the same.

import { problemAt, type Problem, type Source } from './source.ts';

/** Message or enumeration → field → number. Nested ones are `Outer.Inner`. */
export type Numbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Parsed {
  readonly numbers: Numbers;
  /** Numbers that `reserved` keeps from use, by message. */
  readonly reserved: Readonly<Record<string, readonly number[]>>;
}

export function parseProto(text: string): Parsed {
  const numbers: Record<string, Record<string, number>> = {};
  const reserved: Record<string, number[]> = {};
  const open: { readonly kind: string; readonly name: string }[] = [];
  const statements = text.replaceAll(/\/\/.*/g, '').matchAll(/[^{};]*[{};]/g);
  for (const [statement] of statements) {
    if (statement.endsWith('}')) {
      open.pop();
      continue;
    }
    const head = /(message|enum|oneof|service|rpc)\s+(\w+)/.exec(statement);
    const body = open.filter(({ kind }) => kind === 'message' || kind === 'enum');
    const owner = body.map(({ name }) => name).join('.');
    if (statement.endsWith('{')) {
      open.push({ kind: head?.[1] ?? '', name: head?.[2] ?? '' });
      continue;
    }
    const field = /(\w+)\s*=\s*(\d+)\s*;$/.exec(statement);
    if (/^\s*reserved\b/.test(statement))
      (reserved[owner] ??= []).push(...[...statement.matchAll(/\b\d+\b/g)].map(Number));
    else if (field !== null && owner !== '')
      (numbers[owner] ??= {})[field[1] ?? ''] = Number(field[2]);
  }
  return { numbers, reserved };
}

export function checkNumbers(proto: Source, recorded: Numbers): readonly Problem[] {
  const { numbers, reserved } = parseProto(proto.text);
  const at = (name: string, message: string): Problem =>
    problemAt(proto, Math.max(0, proto.text.indexOf(name)), message);
  const problems: Problem[] = [];
  for (const [owner, fields] of Object.entries(recorded)) {
    const present = numbers[owner] ?? {};
    for (const [field, number] of Object.entries(fields)) {
      const isKept = present[field] === number || (reserved[owner] ?? []).includes(number);
      if (!isKept)
        problems.push(at(field, `${owner}.${field} was ${number}; keep it, or reserve the number`));
    }
  }
  for (const [owner, fields] of Object.entries(numbers)) {
    const used = Object.values(fields);
    for (const [field, number] of Object.entries(fields)) {
      if ((reserved[owner] ?? []).includes(number))
        problems.push(at(field, `${owner}.${field} uses the reserved number ${number}`));
      if (used.indexOf(number) !== used.lastIndexOf(number))
        problems.push(at(field, `${owner}: number ${number} is used twice`));
      if (recorded[owner]?.[field] === undefined)
        problems.push(
          at(field, `${owner}.${field} is new: run node test/repo/write.ts --proto-numbers`),
        );
    }
  }
  return problems;
}
