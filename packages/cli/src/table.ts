// Borderless tables whose columns line up by what a terminal shows, not by what a string counts.

import type { Paint, Style } from './style.ts';

export interface Cell {
  readonly text: string;
  readonly paint?: Paint | undefined;
}
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';
const CONTROL = /[\p{Control}\p{Bidi_Control}]/gu;
const ZERO_WIDTH = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]$/u;
// East Asian Wide and Fullwidth (Unicode Standard Annex 11), in blocks, and what is drawn as an
// emoji.
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}\p{Emoji_Presentation}]$/u;

/** Text from hosts may hold control sequences; a terminal must never obey them. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, '\uFFFD');
}

/**
 * Cells of a terminal that `text` fills; control characters count as the sign that replaces them.
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (ZERO_WIDTH.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** @returns `text`, or its beginning and an ellipsis where it is wider than `widthMax` */
export function cut(text: string, widthMax: number): string {
  if (displayWidth(text) <= widthMax) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += displayWidth(character);
    if (width >= widthMax) break;
    kept += character;
  }
  return `${kept}…`;
}

/**
 * @param options.widthMax on a terminal: the last column is cut where a line would be longer
 * @returns lines with their ends; the titles, where there are any, come first
 */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: { readonly style: Style; readonly widthMax?: number | undefined },
): string {
  const isTitled = columns.some(({ title }) => title !== '');
  const titles = columns.map(({ title }): Cell => ({ text: title, paint: 'dim' }));
  const clean = [...(isTitled ? [titles] : []), ...rows].map((row) =>
    row.map((cell): Cell => ({ text: printable(cell.text), paint: cell.paint })),
  );
  const widths = columns.map((_, index) =>
    Math.max(...clean.map((row) => displayWidth(row[index]?.text ?? ''))),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const lastMax = Math.max(LAST_WIDTH_MIN, (options.widthMax ?? Infinity) - before);
  const drawn = clean.map((row) =>
    row
      .map(({ text, paint }, index) => {
        const isLast = index === columns.length - 1;
        const shown = isLast ? cut(text, lastMax) : text;
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(shown)));
        const painted = options.style(shown, paint);
        if (columns[index]?.align === 'right') return padding + painted;
        return isLast ? painted : painted + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
  return `${drawn.join('\n')}\n`;
}

const LAST_WIDTH_MIN = 20;
