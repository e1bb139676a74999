import { closeSync, fstatSync, openSync } from 'node:fs';
import { writeFileAtomically } from './atomic-file.js';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './half-precision.js';
import type { NamedArray } from './named-array.js';
import { readAt } from './read-at.js';
import { parseSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.js';

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000; // the limit of the reference reader
const F16_LIMIT = 65520; // from here on values round to infinity

/**
 * Reads every tensor of a safetensors file; F16 and BF16 are widened to float32.
 * @throws If the file is missing, shorter than its header says, or its header longer than 100 MB.
 * @throws If the header is malformed (see `parseSafetensorsHeader`), naming the file and the tensor.
 * @throws If there is no memory for a tensor.
 */
export function readSafetensors(file: string): Map<string, NamedArray> {
  const descriptor = openFile(file);
  try {
    const fileBytes = fstatSync(descriptor).size;
    const header = readHeader(descriptor, fileBytes, file);
    const dataStart = LENGTH_BYTES + header.byteLength;
    const arrays = new Map<string, NamedArray>();
    for (const entry of parseSafetensorsHeader(header, fileBytes - dataStart, file)) {
      arrays.set(entry.name, readTensor(descriptor, entry, dataStart, file));
    }
    return arrays;
  } finally {
    closeSync(descriptor);
  }
}

/** How values are written: exactly, or rounded to 16 bits, to nearest, ties to even. */
export type StoredType = 'F32' | 'F16' | 'BF16';

/**
 * Writes tensors in the order of their names: equal content gives equal bytes.
 * The file is replaced as a whole (see `writeFileAtomically`).
 * @param metadata Free text pairs, kept under `__metadata__`.
 * @param type How every tensor is stored.
 * @throws If a shape does not match its data.
 * @throws If a finite value is out of F16's range.
 * @throws If a tensor is named `__metadata__`.
 * @throws If the disk is full.
 */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, NamedArray>,
  metadata?: Readonly<Record<string, string>>,
  type: StoredType = 'F32',
): void {
  const header: [string, unknown][] = [];
  if (metadata) header.push(['__metadata__', Object.fromEntries(Object.entries(metadata).sort(byName))]);
  const pieces: Uint8Array[] = [];
  let begin = 0;
  for (const [name, { shape, data }] of [...tensors].sort(byName)) {
    if (name === '__metadata__') {
      throw new Error(
        'writeSafetensors: expected a tensor name, got __metadata__, which the format keeps for itself',
      );
    }
    const valueCount = shape.reduce((product, length) => product * length, 1);
    if (valueCount !== data.length) {
      throw new Error(
        `writeSafetensors: expected ${valueCount} values in tensor "${name}" [${shape.join(', ')}], got ${data.length}`,
      );
    }
    const stored = storedValues(name, data, type);
    const end = begin + stored.byteLength;
    header.push([name, { dtype: type, shape, data_offsets: [begin, end] }]);
    pieces.push(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    begin = end;
  }
  // Spaces at the end align the data to 8 bytes, as the reference writer does.
  const unpadded = Buffer.from(stringifyEntries(header));
  const text = Buffer.alloc(Math.ceil(unpadded.length / 8) * 8, ' ');
  unpadded.copy(text);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileAtomically(file, [length, text, ...pieces]);
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw new Error(
      `readSafetensors: expected the file ${file}, got ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}

function readHeader(descriptor: number, fileBytes: number, file: string): Uint8Array {
  if (fileBytes < LENGTH_BYTES) {
    throw new Error(`readSafetensors: expected at least ${LENGTH_BYTES} bytes in ${file}, got ${fileBytes}`);
  }
  const length = Buffer.alloc(LENGTH_BYTES);
  readAt(descriptor, length, 0);
  const headerBytes = length.readBigUInt64LE();
  const available = Math.min(fileBytes - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (headerBytes > BigInt(available)) {
    throw new Error(
      `readSafetensors: expected a header of at most ${available} bytes in ${file}, got ${headerBytes}`,
    );
  }
  const header = new Uint8Array(Number(headerBytes));
  readAt(descriptor, header, LENGTH_BYTES);
  return header;
}

function readTensor(
  descriptor: number,
  entry: SafetensorsEntry,
  dataStart: number,
  file: string,
): NamedArray {
  try {
    return { shape: entry.shape, data: readValues(descriptor, entry, dataStart) };
  } catch (error) {
    const { name, shape } = entry;
    throw new Error(
      `readSafetensors: expected to read tensor "${name}" [${shape.join(', ')}] in ${file}, got ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function readValues(descriptor: number, entry: SafetensorsEntry, dataStart: number): Float32Array {
  if (entry.type === 'F32') {
    const values = new Float32Array(entry.valueCount);
    readAt(descriptor, new Uint8Array(values.buffer), dataStart + entry.begin);
    return values;
  }
  const halves = new Uint16Array(entry.valueCount);
  readAt(descriptor, new Uint8Array(halves.buffer), dataStart + entry.begin);
  return entry.type === 'F16' ? float16ToFloat32(halves) : bfloat16ToFloat32(halves);
}

function storedValues(name: string, data: Float32Array, type: StoredType): Float32Array | Uint16Array {
  if (type === 'F32') return data;
  if (type === 'BF16') return float32ToBfloat16(data);
  const tooLarge = data.find((value) => Number.isFinite(value) && Math.abs(value) >= F16_LIMIT);
  if (tooLarge !== undefined) {
    throw new Error(
      `writeSafetensors: expected values of at most 65504 in tensor "${name}" for F16, got ${tooLarge}`,
    );
  }
  return float32ToFloat16(data);
}

// JSON.stringify of an object would move keys that look like numbers to the front.
function stringifyEntries(entries: readonly [string, unknown][]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

function byName(left: readonly [string, unknown], right: readonly [string, unknown]): number {
  return left[0] < right[0] ? -1 : 1;
}
