// In: bytes of a small text file of the kernel. Out: the numbers and words in it, without making
// text of the whole.
// Never: takes half a number for a number: digits that nothing follows (a cut file) are absent.

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const FRACTION_DIGITS_MAX = 9;

/**
 * A position in bytes. The functions below move `at` forward, never beyond the end of its line
 * unless they say so.
 */
export interface Scan {
  readonly bytes: Uint8Array;
  at: number;
}

export function createScan(bytes: Uint8Array, at = 0): Scan {
  return { bytes, at };
}

/**
 * Goes to the first byte of the next line. @returns false when there is none; `at` is then the end
 */
export function nextLine(scan: Scan): boolean {
  const newline = scan.bytes.indexOf(NEWLINE, scan.at);
  scan.at = newline === -1 ? scan.bytes.length : newline + 1;
  return scan.at < scan.bytes.length;
}

/** Whether the bytes at the position are these; goes behind them if so. */
export function accept(scan: Scan, key: Uint8Array): boolean {
  const { bytes, at } = scan;
  for (let index = 0; index < key.length; index += 1)
    if (bytes[at + index] !== key[index]) return false;
  scan.at += key.length;
  return true;
}

/**
 * The next word of the line as a whole number.
 * @param end a byte that ends the word besides blanks and the line's end, such as `/`
 * @returns NaN where there is no word, the word is no whole number, nothing follows it, or it is
 * above 2^53 − 1
 */
export function nextNumber(scan: Scan, end = SPACE): number {
  skipBlanks(scan);
  const { bytes } = scan;
  const first = scan.at;
  let value = 0;
  let at = first;
  for (; at < bytes.length; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  scan.at = at;
  const last = bytes[at];
  if (last === end || isBlank(last)) {
    if (last === end && end !== SPACE) scan.at += 1;
    return at > first && value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
  }
  skipWord(scan);
  return Number.NaN;
}

/** As `nextNumber`, for a word such as `0.07`. */
export function nextDecimal(scan: Scan): number {
  const whole = nextNumber(scan, POINT);
  if (scan.bytes[scan.at - 1] !== POINT) return whole;
  const first = scan.at;
  if (isBlank(scan.bytes[first])) return Number.NaN;
  const fraction = nextNumber(scan);
  const digits = scan.at - first;
  return digits <= FRACTION_DIGITS_MAX ? whole + fraction / 10 ** digits : Number.NaN;
}

/**
 * The next word of the line as text. @returns undefined where there is none or it is longer than
 * `lengthMax` bytes
 */
export function nextWord(scan: Scan, lengthMax: number): string | undefined {
  skipBlanks(scan);
  const first = scan.at;
  skipWord(scan);
  return scan.at === first || scan.at - first > lengthMax
    ? undefined
    : textOf(scan.bytes.subarray(first, scan.at));
}

/**
 * As `nextWord`, for a name that ends with a colon; goes behind the colon. Undefined where the line
 * has no colon.
 */
export function nextName(scan: Scan, lengthMax: number): string | undefined {
  skipBlanks(scan);
  const first = scan.at;
  const { bytes } = scan;
  while (scan.at < bytes.length && bytes[scan.at] !== COLON && !isBlank(bytes[scan.at]))
    scan.at += 1;
  if (bytes[scan.at] !== COLON) return undefined;
  scan.at += 1;
  const length = scan.at - 1 - first;
  return length === 0 || length > lengthMax
    ? undefined
    : textOf(bytes.subarray(first, scan.at - 1));
}

export function skipWords(scan: Scan, count: number): void {
  for (let skipped = 0; skipped < count; skipped += 1) {
    skipBlanks(scan);
    skipWord(scan);
  }
}

/**
 * The first number of each line that begins with a key.
 * @param keys with whatever ends them, such as `MemFree:`
 * @returns one value a key, NaN where no line has it. Cost: product of lines and keys, for the
 * first byte; files here are short.
 */
export function keyedNumbers(bytes: Uint8Array, keys: readonly Uint8Array[]): Float64Array {
  const values = new Float64Array(keys.length).fill(Number.NaN);
  const scan = createScan(bytes);
  if (bytes.length === 0) return values;
  do {
    const first = bytes[scan.at];
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index];
      if (key === undefined || key[0] !== first || !accept(scan, key)) continue;
      values[index] = nextNumber(scan);
      break;
    }
  } while (nextLine(scan));
  return values;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function skipBlanks(scan: Scan): void {
  const { bytes } = scan;
  while (bytes[scan.at] === SPACE || bytes[scan.at] === TAB) scan.at += 1;
}

function skipWord(scan: Scan): void {
  const { bytes } = scan;
  while (scan.at < bytes.length && !isBlank(bytes[scan.at])) scan.at += 1;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === TAB;
}
