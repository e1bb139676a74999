import type { Component, TokenizerFile } from './tokenizer-file.js';

/** The character that stands for each byte in byte-level vocabularies: printable ones for themselves (GPT-2). */
const BYTE_CHARACTERS: readonly string[] = byteCharacters();

/**
 * Bytes that a byte-level vocabulary has no token for; empty for other kinds, and where an unknown token stands in.
 *
 * Vocabularies are often cut to the bytes met in training. The library, as the Rust one, would drop such bytes.
 */
export function missingBytes(file: TokenizerFile): ReadonlySet<number> {
  const { vocab, unk_token: unknown } = file.model;
  if (!isByteLevel(file.pre_tokenizer) || (unknown !== null && unknown !== undefined)) return new Set();
  const known = vocab as Record<string, number>;
  return new Set([...BYTE_CHARACTERS.keys()].filter((byte) => !Object.hasOwn(known, BYTE_CHARACTERS[byte]!)));
}

/** @throws if a text needs a byte without a token. */
export function refuseBytes(text: string, missing: ReadonlySet<number>, source: string): void {
  const bytes = new TextEncoder().encode(text);
  if (!bytes.some((byte) => missing.has(byte))) return;
  for (const [index, character] of [...text].entries()) {
    if (!new TextEncoder().encode(character).some((byte) => missing.has(byte))) continue;
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    throw new Error(
      `huggingFaceTokenizer: expected characters that the vocabulary of ${source} can spell, ` +
        `got U+${code} (character ${index + 1})`,
    );
  }
}

function isByteLevel(component: Component | null): boolean {
  if (component === null) return false;
  if (component.type === 'Sequence') return (component.pretokenizers as Component[]).some(isByteLevel);
  return component.type === 'ByteLevel';
}

function byteCharacters(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
