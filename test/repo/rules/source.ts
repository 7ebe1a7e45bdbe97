// In: the text of one TypeScript file. Out: the same text with comments and literals blanked.
// Never: reads a file; the length and the line breaks of the text stay, so that offsets agree.

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Problem {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** A piece of the text that is not code. A literal's span includes its quotes. */
export interface Span {
  readonly kind: 'comment' | 'literal';
  readonly start: number;
  readonly end: number;
}

export function problemAt(source: Source, offset: number, message: string): Problem {
  return { path: source.path, line: lineAt(source.text, offset), message };
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < offset;) {
    line += 1;
    index = text.indexOf('\n', index + 1);
  }
  return line;
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/**
 * Blanks comments, and the inside of literals; quotes and the code within `${}` stay. Cost linear.
 */
export function codeOf(text: string): string {
  const parts: string[] = [];
  let end = 0;
  for (const span of spansOf(text)) {
    const inner = span.kind === 'comment' ? 0 : 1;
    parts.push(text.slice(end, span.start + inner));
    parts.push(text.slice(span.start + inner, span.end - inner).replaceAll(/[^\n]/g, ' '));
    end = Math.max(span.start + inner, span.end - inner);
  }
  return parts.join('') + text.slice(end);
}

/**
 * Comments and literals in order. A template is one span for each piece between its expressions.
 */
export function spansOf(text: string): readonly Span[] {
  const spans: Span[] = [];
  const openTemplates: number[] = []; // Depth of braces within each open `${`.
  let offset = 0;
  while (offset < text.length) {
    const end = spanEnd(text, offset, openTemplates);
    if (end === undefined) {
      offset += 1;
      continue;
    }
    const isComment = text.startsWith('//', offset) || text.startsWith('/*', offset);
    spans.push({ kind: isComment ? 'comment' : 'literal', start: offset, end });
    offset = end;
  }
  return spans;
}

function spanEnd(text: string, start: number, openTemplates: number[]): number | undefined {
  const depth = openTemplates.at(-1);
  switch (text.charAt(start)) {
    case '/':
      return slashEnd(text, start);
    case "'":
    case '"':
      return quoteEnd(text, start);
    case '`':
      return templateEnd(text, start, openTemplates);
    case '{':
      if (depth !== undefined) openTemplates[openTemplates.length - 1] = depth + 1;
      return undefined;
    case '}':
      if (depth === undefined) return undefined;
      if (depth > 0) {
        openTemplates[openTemplates.length - 1] = depth - 1;
        return undefined;
      }
      openTemplates.pop();
      return templateEnd(text, start, openTemplates);
    default:
      return undefined;
  }
}

function slashEnd(text: string, start: number): number | undefined {
  if (text.startsWith('//', start)) return endOr(text.indexOf('\n', start), text.length);
  if (text.startsWith('/*', start)) return endOr(text.indexOf('*/', start + 2) + 2, text.length);
  const before = text.slice(Math.max(0, start - 20), start).trimEnd();
  if (!/(?:^|[(,=:[!&|?{};+*%<>~^-]|\b(?:return|typeof|case|of))$/.test(before)) return undefined;
  return regularExpressionEnd(text, start);
}

function endOr(found: number, otherwise: number): number {
  return found < 2 ? otherwise : found;
}

function regularExpressionEnd(text: string, start: number): number | undefined {
  let isInClass = false;
  for (let index = start + 1; index < text.length && text[index] !== '\n'; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '[') isInClass = true;
    else if (text[index] === ']') isInClass = false;
    else if (text[index] === '/' && !isInClass) return index + 1;
  }
  return undefined;
}

function quoteEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === text[start] || text[index] === '\n') return index + 1;
  }
  return text.length;
}

/**
 * From a backtick, or from the brace that closes an expression, to the next expression or the end.
 */
function templateEnd(text: string, start: number, openTemplates: number[]): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '`') return index + 1;
    else if (text.startsWith('${', index)) {
      openTemplates.push(0);
      return index + 2;
    }
  }
  return text.length;
}
