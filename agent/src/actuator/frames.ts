// In: values and bytes. Out: messages on a stream: a length (u32, big-endian) and so many bytes of
// canonical JSON.
// Never: holds more than one message of the greatest size and one chunk.
//
//   | length u32 BE | canonical JSON, UTF-8, 1 to 65,536 bytes |

import { refuse, type Refusal } from './refusal.ts';

export const MESSAGE_BYTES_MAX = 64 * 1024;
const LENGTH_BYTES = 4;

/**
 * JSON with sorted keys and no spaces: one value has one text, which a later signature can cover.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) => {
    if (typeof held !== 'object' || held === null || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** @returns undefined when the message would be larger than MESSAGE_BYTES_MAX */
export function encodeFrame(value: unknown): Uint8Array | undefined {
  const body = Buffer.from(canonicalJson(value));
  if (body.length > MESSAGE_BYTES_MAX) return undefined;
  const frame = Buffer.alloc(LENGTH_BYTES + body.length);
  frame.writeUInt32BE(body.length);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts a stream of bytes into messages. After a refusal the stream has no known boundary: close it.
 */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Adds what arrived; call `next` until it gives undefined before adding more. */
  add(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /** @returns a message, undefined while none is complete, or why the stream is refused */
  next(): { readonly message: unknown } | Refusal | undefined {
    if (this.#bytes.length < LENGTH_BYTES) return undefined;
    const length = this.#bytes.readUInt32BE();
    if (length === 0 || length > MESSAGE_BYTES_MAX) {
      return refuse(
        'MESSAGE_TOO_LARGE',
        `a message of ${length} bytes was announced; 1 to ${MESSAGE_BYTES_MAX} are taken`,
      );
    }
    if (this.#bytes.length < LENGTH_BYTES + length) return undefined;
    const body = this.#bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
    this.#bytes = this.#bytes.subarray(LENGTH_BYTES + length);
    return parseBody(body);
  }
}

function parseBody(body: Buffer): { readonly message: unknown } | Refusal {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const message: unknown = JSON.parse(text);
    if (canonicalJson(message) === text) return { message };
  } catch (error) {
    if (
      !(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
    )
      throw error;
  }
  return refuse(
    'MESSAGE_INVALID',
    'a message is not canonical JSON (UTF-8, sorted keys, no spaces, no key twice)',
  );
}
