import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  array,
  type GgufText,
  ggufBytes,
  pair,
  string,
  TYPES,
  tensor,
  uint32,
  uint64,
} from '../../../tools/testing/gguf-bytes.js';
import { readGgufHeader } from '../src/index.js';

/** Made by the `gguf` package of llama.cpp; see fixtures/make-tiny.py. */
const tiny = fileURLToPath(new URL('fixtures/tiny.gguf', import.meta.url));

let folder: string;
let file: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gguf-header-'));
  file = join(folder, 'model.gguf');
  await readGgufHeader(tiny); // loads the parser
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the header of a GGUF file', () => {
  it('is its metadata, and its tensors row by row', async () => {
    const { metadata, tensors, dataOffset } = await readGgufHeader(tiny);
    expect(metadata).toMatchObject({
      'general.architecture': 'llama',
      'llama.block_count': 2,
      'tiny.large': 2n ** 60n,
      'tokenizer.ggml.tokens': ['a', 'Ġb', '<|end|>'],
      'tiny.numbers': [1, 2, 3],
    });
    expect(tensors).toEqual([
      { name: 'token_embd.weight', shape: [3, 32], type: 'Q8_0', offset: 0, sizeBytes: 102 },
      { name: 'output_norm.weight', shape: [32], type: 'F32', offset: 128, sizeBytes: 128 },
    ]);
    expect(dataOffset + 128 + 128).toBe(readFileSync(tiny).length);
  });

  it('is read as it was written here', async () => {
    writeFileSync(file, ggufBytes({ version: 2, tensors: [tensor('a', [4, 3, 2], 0, 0)], dataBytes: 96 }));
    const { tensors } = await readGgufHeader(file);
    expect(tensors).toEqual([{ name: 'a', shape: [2, 3, 4], type: 'F32', offset: 0, sizeBytes: 96 }]);
  });
});

const huge = 2n ** 60n;
const float = (name: string, dimensions: (number | bigint)[], offset: number | bigint) =>
  tensor(name, dimensions, 0, offset);
const keyed = (type: number, value: Buffer): GgufText => ({ pairs: [pair('key', type, value)] });
const aligned = (type: number, value: Buffer): GgufText => ({
  pairs: [pair('general.alignment', type, value)],
  tensors: [float('a', [1], 0)],
  dataBytes: 4,
});

const cases: [string, Buffer | GgufText, string][] = [
  [
    'an empty file',
    Buffer.alloc(0),
    '4 bytes of the magic number at byte 0 in FILE, got the end of the file after 0',
  ],
  ['another file', Buffer.from('{"model_type":"llama"}'), 'the magic number GGUF in FILE, got 0x6f6d227b'],
  ['version 1', { version: 1 }, 'little-endian GGUF of version 2 or 3 in FILE, got version 1'],
  ['version 4', { version: 4 }, 'little-endian GGUF of version 2 or 3 in FILE, got version 4'],
  [
    'another byte order',
    { version: 0x3000000 },
    'little-endian GGUF of version 2 or 3 in FILE, got big-endian',
  ],
  [
    'too many tensors',
    { tensorCount: huge },
    'at most 0 tensors (what is left of the file) in FILE, got 1152921504606846976',
  ],
  [
    'too many pairs',
    { pairCount: huge },
    'at most 0 metadata pairs (what is left of the file) in FILE, got 1152921504606846976',
  ],
  [
    'a long key',
    { pairs: [uint64(2n ** 50n), Buffer.alloc(40)] },
    'bytes in the key of metadata pair 0 (what is left of the file) in FILE, got 1125899906842624',
  ],
  [
    'a key longer than any',
    { pairs: [pair('k'.repeat(65_536), TYPES.uint8, Buffer.alloc(1))] },
    'at most 65535 bytes in the key of metadata pair 0 in FILE, got 65536',
  ],
  [
    'a name longer than any',
    { tensors: [float('a'.repeat(257), [1], 0)] },
    'at most 256 bytes in the name of tensor 0 in FILE, got 257',
  ],
  [
    'a long string',
    keyed(TYPES.string, string('abc', 2n ** 50n)),
    'bytes in metadata pair 0 (what is left of the file) in FILE, got 1125899906842624',
  ],
  [
    'a long list',
    keyed(TYPES.array, array(TYPES.uint8, huge)),
    'elements in metadata pair 0 (what is left of the file) in FILE, got 1152921504606846976',
  ],
  [
    'a long list of strings',
    keyed(TYPES.array, array(TYPES.string, huge)),
    'elements in metadata pair 0 (what is left of the file) in FILE, got 1152921504606846976',
  ],
  [
    'a long list of longs',
    keyed(TYPES.array, array(TYPES.uint64, 2n ** 61n)),
    'elements in metadata pair 0 (what is left of the file) in FILE, got 2305843009213693952',
  ],
  [
    'a list of lists',
    keyed(TYPES.array, array(TYPES.array, 1n, array(TYPES.uint8, 0n))),
    'no array of arrays in metadata pair 0 in FILE, got one',
  ],
  [
    'too many elements',
    keyed(TYPES.array, array(TYPES.uint8, 1_500_001n, Buffer.alloc(1_500_001))),
    'at most 1500000 elements in all lists of the header in FILE, got 1500001',
  ],
  [
    'a list that the parser refuses',
    keyed(TYPES.array, array(TYPES.uint8, 1_000_001n, Buffer.alloc(1_000_001))),
    'a GGUF header in FILE, got Metadata array length 1000001 exceeds maximum allowed (1000000)',
  ],
  ['an unknown type', keyed(13, Buffer.alloc(8)), 'a known value type in metadata pair 0 in FILE, got 13'],
  [
    'a list of an unknown type',
    keyed(TYPES.array, array(99, 1n, Buffer.alloc(8))),
    'a known value type in metadata pair 0 in FILE, got 99',
  ],
  [
    'a tensor without dimensions',
    { tensors: [float('a', [], 0)] },
    'tensor 0 with 1 to 4 dimensions in FILE, got 0',
  ],
  [
    'a tensor of 5 dimensions',
    { tensors: [float('a', [1, 1, 1, 1, 1], 0)] },
    'tensor 0 with 1 to 4 dimensions in FILE, got 5',
  ],
  [
    'a tensor of 2^31 dimensions',
    { tensors: [Buffer.concat([string('a'), uint32(2 ** 31), Buffer.alloc(40)])] },
    'tensor 0 with 1 to 4 dimensions in FILE, got 2147483648',
  ],
  [
    'a dimension that overflows',
    { tensors: [float('a', [2n ** 63n, 2], 0)] },
    'a GGUF header in FILE, got Tensor "a" dimension 0 is 9223372036854775808',
  ],
  [
    'a product that overflows',
    { tensors: [float('a', [2 ** 31, 2 ** 31, 4], 0)] },
    'tensor "a" in FILE of fewer than 2^53 values, got [4, 2147483648, 2147483648]',
  ],
  [
    'an unknown tensor type',
    { tensors: [tensor('a', [32], 99, 0)] },
    'tensor "a" in FILE of type F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, got type 99',
  ],
  ['a tensor type that is not read', { tensors: [tensor('a', [256], 16, 0)] }, 'Q6_K, got IQ2_XXS'],
  [
    'rows of part of a block',
    { tensors: [tensor('a', [48, 2], 8, 0)], dataBytes: 102 },
    'tensor "a" in FILE (Q8_0) with rows of whole blocks of 32, got [2, 48]',
  ],
  [
    'misaligned data',
    { tensors: [float('a', [1], 4)], dataBytes: 64 },
    'tensor "a" in FILE at a multiple of 32 bytes, got 4',
  ],
  [
    'data beyond the file',
    { tensors: [float('a', [17], 0)], dataBytes: 64 },
    'tensor "a" in FILE within the file\'s 64 bytes of data, got bytes 0 to 68',
  ],
  [
    'an offset that overflows',
    { tensors: [float('a', [16], 2n ** 64n - 64n)], dataBytes: 64 },
    'tensor "a" in FILE within the file\'s 64 bytes of data, got bytes 18446744073709552000 to',
  ],
  [
    'no data',
    { tensors: [float('a', [2 ** 20, 2 ** 20], 0)] },
    'tensor "a" in FILE within the file\'s 0 bytes of data, got bytes 0 to 4398046511104',
  ],
  [
    'overlap',
    { tensors: [float('a', [9], 32), float('b', [9], 0)], dataBytes: 96 },
    'tensor "a" in FILE to begin at byte 36 of the data or later, got 32, which overlaps tensor "b"',
  ],
  [
    'two tensors of a name',
    { tensors: [float('a', [1], 0), float('a', [1], 32)], dataBytes: 64 },
    'one tensor "a" in FILE, got two',
  ],
  [
    'an alignment of 0',
    aligned(TYPES.uint32, uint32(0)),
    'a GGUF header in FILE, got general.alignment must be a positive integer, got 0',
  ],
  [
    'an alignment of 48',
    aligned(TYPES.uint32, uint32(48)),
    'a power of 2 as general.alignment in FILE, got 48',
  ],
  [
    'a large alignment',
    aligned(TYPES.uint64, uint64(2n ** 62n)),
    'a GGUF header in FILE, got general.alignment value 4611686018427387904 exceeds safe integer range',
  ],
  [
    'an alignment in words',
    aligned(TYPES.string, string('32')),
    'a power of 2 as general.alignment in FILE, got string',
  ],
];

describe('a malformed GGUF file', () => {
  it.each(cases)('%s', async (_, content, message) => {
    writeFileSync(file, Buffer.isBuffer(content) ? content : ggufBytes(content));
    const memoryBytes = process.memoryUsage().rss;
    const startMs = performance.now();
    const error = await readGgufHeader(file).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(performance.now() - startMs).toBeLessThan(2000);
    expect(process.memoryUsage().rss - memoryBytes).toBeLessThan(100e6);
    expect(error?.message).toContain(message.replace('FILE', file));
    expect(error?.message).toMatch(/^readGgufHeader: expected /);
  });

  it('a missing file, and a folder', async () => {
    await expect(readGgufHeader(join(folder, 'none'))).rejects.toThrow(
      /expected the file .*none, got ENOENT/,
    );
    await expect(readGgufHeader(folder)).rejects.toThrow(
      `expected a file at ${folder}, got a folder or device`,
    );
  });

  it('a huge string in a file as long as it says', async () => {
    const text = ggufBytes(keyed(TYPES.string, uint64(2n ** 36n)));
    writeFileSync(file, text);
    const descriptor = openSync(file, 'r+');
    ftruncateSync(descriptor, 2 ** 37); // a hole: takes no room on the disk
    closeSync(descriptor);
    await expect(readGgufHeader(file)).rejects.toThrow(
      /expected at most \d+ bytes in metadata pair 0 \(what is left of a header of at most 24000000 bytes\)/,
    );
    rmSync(file);
  });

  it('cut at any byte', async () => {
    const whole = readFileSync(tiny);
    for (let length = 0; length < whole.length; length += length < 400 ? 1 : 7) {
      writeFileSync(file, whole.subarray(0, length));
      await expect(readGgufHeader(file), `${length} bytes`).rejects.toThrow(/^readGgufHeader: expected /);
    }
  });

  it('with any bit of its header flipped: a clear error, or another well-formed header', async () => {
    const whole = readFileSync(tiny);
    const { dataOffset } = await readGgufHeader(tiny);
    for (let bit = 0; bit < 8 * dataOffset; bit += 5) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(file, flipped);
      const error = await readGgufHeader(file).then(
        () => undefined,
        (reason: Error) => reason,
      );
      if (error) expect(error.message, `bit ${bit}`).toMatch(/^readGgufHeader: expected /);
    }
  });
});
