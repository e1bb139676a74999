import { readSync } from 'node:fs';

// A vocabulary of 250,000 tokens with 500,000 merges comes to about 15 MB. The parser goes back to the start of a
// list whenever it needs more of the file, so that its time grows with the square of a list's length.
const MAX_HEADER_BYTES = 24e6;
const MAX_ELEMENTS = 1_500_000;
/** Bytes of the shortest entry, empty name and all: they bound a count by what is left of the file. */
const MIN_PAIR_BYTES = 8 + 4 + 1;
const MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;
const MAX_DIMENSIONS = 4;
const WINDOW_BYTES = 1 << 16;
/** As the format has it for keys; for names it has 64, which some writers exceed. */
const MAX_KEY_BYTES = 65_535;
const MAX_NAME_BYTES = 256;

/** Bytes of each scalar value type by its number; 8 is a string, 9 an array. */
const SCALAR_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const STRING = 8;
const ARRAY = 9;

/**
 * Steps through a GGUF header without keeping anything, so that a parser that trusts counts can be given it:
 * after this, every length and count lies inside the file.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @param descriptor An open file.
 * @param fileBytes Its length.
 * @param file For messages.
 * @throws If the file is no little-endian GGUF of version 2 or 3.
 * @throws If a count or length goes beyond the file, or beyond a header of 24 MB.
 * @throws If its lists have more than 1,500,000 elements together.
 * @throws If a key is longer than 65,535 bytes, or a tensor's name than 256.
 * @throws If a value's type is unknown, or a tensor has no dimensions or more than 4.
 */
export function walkGgufHeader(descriptor: number, fileBytes: number, file: string): void {
  const walk = new HeaderWalk(descriptor, fileBytes, file);
  const magic = walk.uint32('the magic number');
  if (magic !== 0x46554747) throw walk.fail('the magic number GGUF', `0x${magic.toString(16)}`);
  const version = walk.uint32('the version');
  if (version !== 2 && version !== 3) {
    const isBigEndian = version === 0x2000000 || version === 0x3000000;
    throw walk.fail(
      'little-endian GGUF of version 2 or 3',
      isBigEndian ? 'big-endian' : `version ${version}`,
    );
  }
  const tensorCount = walk.count('tensors', MIN_TENSOR_BYTES);
  const pairCount = walk.count('metadata pairs', MIN_PAIR_BYTES);
  for (let pair = 0; pair < pairCount; pair++) {
    walk.skipString(`the key of metadata pair ${pair}`, MAX_KEY_BYTES);
    walk.skipValue(`metadata pair ${pair}`);
  }
  for (let tensor = 0; tensor < tensorCount; tensor++) {
    walk.skipString(`the name of tensor ${tensor}`, MAX_NAME_BYTES);
    const dimensions = walk.uint32(`tensor ${tensor}`);
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw walk.fail(`tensor ${tensor} with 1 to ${MAX_DIMENSIONS} dimensions`, `${dimensions}`);
    }
    walk.skip(8 * dimensions + 4 + 8, `tensor ${tensor}`);
  }
}

/** A place in the header that moves forward, over a window of bytes that moves with it. */
class HeaderWalk {
  readonly #descriptor: number;
  readonly #file: string;
  readonly #limit: number;
  readonly #within: string;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;
  #position = 0;
  #elements = 0;

  constructor(descriptor: number, fileBytes: number, file: string) {
    this.#descriptor = descriptor;
    this.#file = file;
    this.#limit = Math.min(fileBytes, MAX_HEADER_BYTES);
    this.#within =
      fileBytes <= MAX_HEADER_BYTES ? 'the file' : `a header of at most ${MAX_HEADER_BYTES} bytes`;
  }

  uint32(what: string): number {
    return this.#window.readUInt32LE(this.#take(4, what));
  }

  /** A number of entries of at least so many bytes each. */
  count(what: string, minBytes: number): number {
    const value = this.#window.readBigUInt64LE(this.#take(8, `the number of ${what}`));
    const most = Math.floor((this.#limit - this.#position) / minBytes);
    if (value > BigInt(most)) {
      throw this.fail(`at most ${most} ${what} (what is left of ${this.#within})`, `${value}`);
    }
    return Number(value);
  }

  skip(bytes: number, what: string): void {
    const left = this.#limit - this.#position;
    if (bytes > left) {
      throw this.fail(
        `${bytes} bytes of ${what} at byte ${this.#position}`,
        `the end of ${this.#within} after ${left}`,
      );
    }
    this.#position += bytes;
  }

  skipString(what: string, maxBytes = Number.POSITIVE_INFINITY): void {
    const bytes = this.count(`bytes in ${what}`, 1);
    if (bytes > maxBytes) throw this.fail(`at most ${maxBytes} bytes in ${what}`, `${bytes}`);
    this.skip(bytes, what);
  }

  skipValue(what: string): void {
    this.#skipTyped(this.#valueType(what), what);
  }

  fail(expected: string, got: string): Error {
    return new Error(`readGgufHeader: expected ${expected} in ${this.#file}, got ${got}`);
  }

  #valueType(what: string): number {
    const type = this.uint32(what);
    if (type >= SCALAR_BYTES.length) throw this.fail(`a known value type in ${what}`, `${type}`);
    return type;
  }

  #skipTyped(type: number, what: string): void {
    if (type === STRING) {
      this.skipString(what);
    } else if (type === ARRAY) {
      this.#skipArray(what);
    } else {
      this.skip(SCALAR_BYTES[type]!, what);
    }
  }

  #skipArray(what: string): void {
    const type = this.#valueType(what);
    // No known key holds arrays of arrays, and their nesting would have to be bounded.
    if (type === ARRAY) throw this.fail(`no array of arrays in ${what}`, 'one');
    const elementBytes = SCALAR_BYTES[type];
    const length = this.count(`elements in ${what}`, elementBytes ?? 8);
    this.#elements += length;
    if (this.#elements > MAX_ELEMENTS) {
      throw this.fail(`at most ${MAX_ELEMENTS} elements in all lists of the header`, `${this.#elements}`);
    }
    if (elementBytes === undefined) {
      for (let element = 0; element < length; element++) this.skipString(what);
    } else {
      this.skip(length * elementBytes, what);
    }
  }

  /** Moves over the next few bytes, and says where in the window they are. */
  #take(bytes: number, what: string): number {
    const start = this.#position;
    this.skip(bytes, what);
    if (start < this.#windowStart || start + bytes > this.#windowEnd) {
      const got = readSync(this.#descriptor, this.#window, 0, WINDOW_BYTES, start);
      if (got < bytes) throw this.fail(`${bytes} bytes at byte ${start}`, `${got}: the file has changed`);
      this.#windowStart = start;
      this.#windowEnd = start + got;
    }
    return start - this.#windowStart;
  }
}
