import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NamedArray, readSafetensors, writeSafetensors } from '../src/index.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
  file = join(folder, 'model.safetensors');
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(header: unknown, dataBytes: number, headerBytes?: bigint): void {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerBytes ?? BigInt(text.length));
  writeFileSync(file, Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
}

const tensor = (shape: number[], begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const namedArray = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
  const length = shape.reduce((product, size) => product * size, 1);
  const data = fc.float32Array({ minLength: length, maxLength: length });
  return data.map((values): NamedArray => ({ shape, data: values }));
});
const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__metadata__');
const namedArrays = fc
  .array(fc.tuple(name, namedArray), { maxLength: 5 })
  .map((pairs) => new Map([...pairs, ['7', { shape: [1], data: Float32Array.of(7) }]]));

describe('safetensors round trip', () => {
  it('returns every shape and every bit', () => {
    fc.assert(
      fc.property(namedArrays, (arrays) => {
        writeSafetensors(file, arrays);
        const read = readSafetensors(file);
        expect([...read.keys()].sort()).toEqual([...arrays.keys()].sort());
        for (const [key, { shape, data }] of arrays) {
          expect(read.get(key)!.shape).toEqual(shape);
          expect(Buffer.from(read.get(key)!.data.buffer)).toEqual(
            Buffer.from(data.buffer, data.byteOffset, data.byteLength),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  it('stores 16 bits a value where asked for, and refuses what F16 has no room for', () => {
    const values = new Map([['a', { shape: [2], data: Float32Array.of(1 / 3, -65504) }]]);
    for (const [type, third] of [
      ['F16', 0.333251953125],
      ['BF16', 0.333984375],
    ] as const) {
      writeSafetensors(file, values, {}, type);
      expect(readSafetensors(file).get('a')!.data[0]).toBe(third);
    }
    const large = new Map([['a', { shape: [2], data: Float32Array.of(Infinity, 65520) }]]);
    expect(() => writeSafetensors(file, large, {}, 'F16')).toThrow(
      'expected values of at most 65504 in tensor "a" for F16, got 65520',
    );
  });

  it('gives equal bytes for equal content, whatever the order', () => {
    const one = { shape: [2], data: Float32Array.of(1, 2) };
    const two = { shape: [1], data: Float32Array.of(3) };
    writeSafetensors(file, new Map(Object.entries({ b: one, a: two })), { z: '1', y: '2' });
    const bytes = readFileSync(file);
    writeSafetensors(file, new Map(Object.entries({ a: two, b: one })), { y: '2', z: '1' });
    expect(readFileSync(file)).toEqual(bytes);
    expect((8 + Number(bytes.readBigUInt64LE())) % 8).toBe(0);
  });

  it('reads views that start inside a larger buffer', () => {
    const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    writeSafetensors(file, new Map([['view', { shape: [2], data: values }]]));
    expect(readSafetensors(file).get('view')!.data).toEqual(Float32Array.of(1, 2));
  });

  it('widens F16 and BF16', () => {
    put({ half: tensor([2], 0, 4, 'F16'), brain: tensor([2], 4, 8, 'BF16') }, 0);
    const bytes = Buffer.alloc(8);
    for (const [index, bits] of [0x3c00, 0xc100, 0x3f80, 0xc020].entries())
      bytes.writeUInt16LE(bits, 2 * index);
    writeFileSync(file, Buffer.concat([readFileSync(file), bytes]));
    expect(readSafetensors(file).get('half')!.data).toEqual(Float32Array.of(1, -2.5));
    expect(readSafetensors(file).get('brain')!.data).toEqual(Float32Array.of(1, -2.5));
  });

  it('refuses to write what the format cannot hold', () => {
    const wrong = new Map([['w', { shape: [3], data: new Float32Array(2) }]]);
    expect(() => writeSafetensors(file, wrong)).toThrow('expected 3 values in tensor "w" [3], got 2');
    const reserved = new Map([['__metadata__', { shape: [0], data: new Float32Array(0) }]]);
    expect(() => writeSafetensors(file, reserved)).toThrow('which the format keeps for itself');
  });
});

describe('safetensors of other writers', () => {
  it('may hold data that is not aligned to its type', () => {
    put(
      { half: tensor([1], 0, 2, 'F16'), whole: tensor([2], 2, 10), brain: tensor([1], 10, 12, 'BF16') },
      12,
    );
    const bytes = readFileSync(file);
    const start = bytes.length - 12;
    bytes.writeUInt16LE(0x3c00, start);
    bytes.writeFloatLE(0.1, start + 2);
    bytes.writeFloatLE(-7, start + 6);
    bytes.writeUInt16LE(0x4049, start + 10);
    writeFileSync(file, bytes);
    const arrays = readSafetensors(file);
    expect([...arrays.values()].map(({ data }) => [...data])).toEqual([
      [1],
      [Math.fround(0.1), -7],
      [3.140625],
    ]);
  });
});

describe('malformed safetensors', () => {
  const cases: [string, unknown, number, string][] = [
    ['not JSON', '{"w":', 0, 'expected a JSON header in FILE, got '],
    ['an array', '[]', 0, 'expected a JSON object as header of FILE, got []'],
    ['null', 'null', 0, 'expected a JSON object as header of FILE, got null'],
    [
      'no offsets',
      { w: { dtype: 'F32', shape: [1] } },
      4,
      'tensor "w" in FILE to have dtype, shape and data_offsets',
    ],
    [
      'a negative size',
      { w: tensor([-1], 0, 4) },
      4,
      'tensor "w" in FILE to have dtype, shape and data_offsets',
    ],
    [
      'a fractional size',
      { w: tensor([1.5], 0, 6) },
      6,
      'tensor "w" in FILE to have dtype, shape and data_offsets',
    ],
    ['a tensor that is null', { w: null }, 0, 'tensor "w" in FILE to have dtype, shape and data_offsets'],
    [
      'another type',
      { w: tensor([1], 0, 8, 'I64') },
      8,
      'tensor "w" in FILE of type F32, F16 or BF16, got I64',
    ],
    ['a type of Object', { w: tensor([1], 0, 4, 'toString') }, 4, 'of type F32, F16 or BF16, got toString'],
    [
      'beyond the file',
      { w: tensor([2], 0, 8) },
      4,
      `tensor "w" in FILE within the file's 4 bytes of data, got bytes 0 to 8`,
    ],
    ['offsets reversed', { w: tensor([0], 4, 0) }, 4, 'got bytes 4 to 0'],
    [
      'shape and bytes differ',
      { w: tensor([2, 3], 0, 20) },
      20,
      'to hold 24 bytes ([2, 3] of F32), got 20 bytes',
    ],
    [
      'a product that overflows 64 bits',
      { w: tensor([2 ** 40, 2 ** 40], 0, 4) },
      4,
      'tensor "w" in FILE to hold 4.8',
    ],
    ['a product that wraps to 0', { w: tensor([2 ** 32, 2 ** 32], 0, 0) }, 0, 'tensor "w" in FILE to hold'],
    [
      'overlap',
      { a: tensor([2], 0, 8), b: tensor([1], 4, 8) },
      8,
      'begin at byte 8 of the data, got 4, which overlaps tensor "a"',
    ],
    [
      'a hole',
      { a: tensor([1], 0, 4), b: tensor([1], 8, 12) },
      12,
      'got 8, which leaves a hole after tensor "a"',
    ],
    ['a hole in front', { a: tensor([1], 4, 8) }, 8, 'got 4, which leaves a hole after the header'],
    ['data of no tensor', { a: tensor([1], 0, 4) }, 6, 'expected 4 bytes of data in FILE, got 6'],
  ];
  it.each(cases)('%s', (_, header, dataBytes, message) => {
    put(header, dataBytes);
    expect(() => readSafetensors(file)).toThrow(message.replace('FILE', file));
    expect(() => readSafetensors(file)).toThrow(/^readSafetensors: expected .*, got /);
  });

  it('a header that is not UTF-8', () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n);
    writeFileSync(file, Buffer.concat([length, Buffer.of(0xff, 0xfe)]));
    expect(() => readSafetensors(file)).toThrow('expected a JSON header in');
  });

  it('a huge header, without reserving its bytes', () => {
    put('{}', 0, 2n ** 63n);
    expect(() => readSafetensors(file)).toThrow(
      `expected a header of at most 2 bytes in ${file}, got ${2n ** 63n}`,
    );
  });

  it('a header beyond 100 MB in a file that is longer', () => {
    put('{}', 0, 100_000_001n);
    truncateSync(file, 200_000_000); // sparse
    expect(() => readSafetensors(file)).toThrow('expected a header of at most 100000000 bytes');
  });

  it('a missing file', () => {
    expect(() => readSafetensors(join(folder, 'none'))).toThrow(
      `expected the file ${join(folder, 'none')}, got ENOENT`,
    );
  });

  const arrays = new Map([
    ['a', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['b', { shape: [], data: Float32Array.of(5) }],
  ]);

  it('a file cut at any byte', () => {
    writeSafetensors(file, arrays);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      expect(() => readSafetensors(file), `cut at ${length}`).toThrow(/^readSafetensors: expected .*, got /);
    }
  });

  it('a header with any bit flipped: a clear error, or another well-formed header', () => {
    writeSafetensors(file, arrays);
    const whole = readFileSync(file);
    const headerEnd = 8 + Number(whole.readBigUInt64LE());
    for (let bit = 0; bit < 8 * headerEnd; bit++) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(file, flipped);
      let outcome = 'read';
      try {
        // A letter of a name may change; the values are in the data and cannot.
        expect([...readSafetensors(file).values()].flatMap(({ data }) => [...data])).toEqual([1, 2, 3, 4, 5]);
      } catch (error) {
        outcome = (error as Error).message;
      }
      expect(outcome).toMatch(/^(read$|readSafetensors: expected .*, got )/s);
    }
  });
});
