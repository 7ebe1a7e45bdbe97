// In: file names as the kernel has them: bytes. Out: printable strings, a different one for each
// name.
// Never: replaces what it cannot decode by the same character, which would make two files one.

import { isUtf8 } from 'node:buffer';

/**
 * Bytes that are not UTF-8, and control characters, become `\xNN`. A backslash that would read as
 * such an escape becomes `\x5c`;
 * all others stay (systemd's `\x2d` among them).
 */
export function escapeName(name: Buffer): string {
  if (isUtf8(name)) {
    const text = name.toString('utf8');
    return suspicious.test(text) ? escapeText(text) : text;
  }
  let escaped = '';
  for (let at = 0; at < name.length;) {
    const length = characterLength(name, at);
    escaped +=
      length === 0
        ? hex(name[at] ?? 0)
        : escapeText(name.toString('utf8', at, at + length), name.toString('latin1', at));
    at += Math.max(1, length);
  }
  return escaped;
}

const lookalike = /^\\x(?:[018-9a-f][0-9a-f]|7f|5c)/;
// eslint-disable-next-line no-control-regex -- Control characters are what it is about.
const control = /[\u0000-\u001f\u007f]/;
// eslint-disable-next-line no-control-regex -- As above.
const suspicious = /[\u0000-\u001f\u007f]|\\x/;

/** @param following the text from here on, where `text` is only its first character */
function escapeText(text: string, following = text): string {
  if (following !== text) return escapeCharacter(text, following);
  let escaped = '';
  for (let at = 0; at < text.length; at += 1)
    escaped += escapeCharacter(text.charAt(at), text.slice(at, at + 4));
  return escaped;
}

function escapeCharacter(character: string, following: string): string {
  if (control.test(character)) return hex(character.charCodeAt(0));
  return character === '\\' && lookalike.test(following) ? hex(0x5c) : character;
}

/** @returns bytes of the UTF-8 character at `at`; 0 when there is none */
function characterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
