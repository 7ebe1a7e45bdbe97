// In: the fleet's fingerprint key and bytes or strings. Out: digests that only holders of the key
// can make.
// Never: a plain hash; that of a small secret file would let anyone guess its content.

import { createHmac } from 'node:crypto';

/** Shorter keys could be searched. */
export const KEY_BYTES_MIN = 16;
/**
 * 128 bits of HMAC-SHA256: enough that two items never collide by chance, half the size on the
 * wire.
 */
export const DIGEST_BYTES = 16;

/** A digest that is fed piece by piece. `finish` ends it; it may be called once. */
export interface ContentDigest {
  update(bytes: Uint8Array): void;
  /** @returns 32 lower-case hexadecimal digits */
  finish(): string;
}

/**
 * What the digest of a file covers beside its content. Owner and group are names where the host
 * knows them.
 */
export interface FileAttributes {
  readonly kind: 'file' | 'link';
  /** Digest of the content; absent for a link. */
  readonly content?: string;
  /** Octal permission bits, four digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** Where a link points, as written in it; absent for a file. */
  readonly target?: string;
}

/**
 * Digest of content that arrives in chunks; how it is cut does not matter. @throws TypeError for a
 * key that is too short
 */
export function createContentDigest(key: Uint8Array): ContentDigest {
  const hmac = keyed(key, CONTENT_DOMAIN);
  return {
    update: (bytes) => void hmac.update(bytes),
    finish: () => shortened(hmac.digest()),
  };
}

/**
 * Digest of a file's whole content. @returns 32 lower-case hexadecimal digits. Cost linear in
 * `content`.
 */
export function fileContentDigest(key: Uint8Array, content: Uint8Array): string {
  const digest = createContentDigest(key);
  digest.update(content);
  return digest.finish();
}

/**
 * Digest of a list of strings. Each travels behind its length in bytes, so that `['ab', 'c']` and
 * `['a', 'bc']` differ.
 *
 * @param parts well-formed Unicode; lone surrogates all count as U+FFFD
 * @returns 32 lower-case hexadecimal digits
 */
export function itemDigest(key: Uint8Array, parts: readonly string[]): string {
  const hmac = keyed(key, ITEM_DOMAIN);
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return shortened(hmac.digest());
}

/**
 * Digest of a file or a symbolic link with its attributes. An absent part is told from an empty
 * one.
 */
export function fileItemDigest(key: Uint8Array, file: FileAttributes): string {
  return itemDigest(key, [
    'file',
    file.kind,
    optional(file.content),
    file.mode,
    file.owner,
    file.group,
    optional(file.target),
  ]);
}

function optional(value: string | undefined): string {
  return value === undefined ? '-' : `=${value}`;
}

// Domains keep apart digests of one key: content that spells out an item's parts does not get the
// item's digest.
const CONTENT_DOMAIN = 'foreshadow.content.v1\0';
const ITEM_DOMAIN = 'foreshadow.item.v1\0';

/** Cut before it becomes text: a piece of a longer text would keep that in memory. */
function shortened(digest: Buffer): string {
  return digest.toString('hex', 0, DIGEST_BYTES);
}

function keyed(key: Uint8Array, domain: string): ReturnType<typeof createHmac> {
  if (key.length < KEY_BYTES_MIN)
    throw new TypeError(`fingerprint key has ${key.length} bytes, needs ${KEY_BYTES_MIN}`);
  return createHmac('sha256', key).update(domain);
}
