// In: rows of words. Out: a table in Markdown, and the words for numbers in it.
// Never: pads cells; a change of one row is a change of one line.

/** Bars and line breaks within a cell are made harmless. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function line(cells: readonly string[]): string {
  const safe = cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' '));
  return `| ${safe.join(' | ')} |`;
}

export const code = (text: string): string => `\`${text}\``;

/** What stands in a cell that has nothing to say. */
export const NOTHING = '—';
