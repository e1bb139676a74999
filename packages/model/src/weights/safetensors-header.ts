import { z } from 'zod';
import { describeValue } from './describe-value.js';

/** The number types that can be read, with their bytes per value. */
export const BYTES_PER_VALUE = { F32: 4, F16: 2, BF16: 2 } as const;
export type SafetensorsType = keyof typeof BYTES_PER_VALUE;

/** One tensor of a safetensors file: bytes `[begin, end)` of the data that follows the header. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly valueCount: number;
  readonly begin: number;
  readonly end: number;
}

const size = z.int().min(0);
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});

/**
 * Reads a safetensors header and checks that its tensors tile the data exactly.
 * Format: https://github.com/huggingface/safetensors#format
 * @param header The header's bytes, without the length in front.
 * @param dataBytes Bytes in the file after the header.
 * @param file For messages.
 * @returns The tensors in the order of their data.
 * @throws If the header is not UTF-8, not JSON, or not an object of tensors.
 * @throws If a tensor's type is not F32, F16 or BF16.
 * @throws If a tensor's bytes do not match its shape, or lie outside the file.
 * @throws If two tensors overlap, or some data belongs to none.
 */
export function parseSafetensorsHeader(
  header: Uint8Array,
  dataBytes: number,
  file: string,
): SafetensorsEntry[] {
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(parseJsonObject(header, file))) {
    if (name !== '__metadata__') entries.push(parseEntry(name, value, dataBytes, file));
  }
  entries.sort((left, right) => left.begin - right.begin || left.end - right.end);
  let next = 0;
  let previous = 'the header';
  for (const { name, begin, end } of entries) {
    const problem = begin < next ? `overlaps ${previous}` : `leaves a hole after ${previous}`;
    if (begin !== next) {
      throw fail(
        `tensor "${name}" in ${file} to begin at byte ${next} of the data`,
        `${begin}, which ${problem}`,
      );
    }
    next = end;
    previous = `tensor "${name}"`;
  }
  if (next !== dataBytes) throw fail(`${next} bytes of data in ${file}`, `${dataBytes}`);
  return entries;
}

function parseJsonObject(header: Uint8Array, file: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (error) {
    throw fail(`a JSON header in ${file}`, (error as Error).message);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw fail(`a JSON object as header of ${file}`, describeValue(parsed));
  }
  return parsed;
}

function parseEntry(name: string, value: unknown, dataBytes: number, file: string): SafetensorsEntry {
  const tensor = `tensor "${name}" in ${file}`;
  const result = entrySchema.safeParse(value);
  if (!result.success) {
    throw fail(`${tensor} to have dtype, shape and data_offsets [begin, end]`, describeValue(value));
  }
  const { dtype, shape, data_offsets: offsets } = result.data;
  const [begin, end] = offsets;
  if (!Object.hasOwn(BYTES_PER_VALUE, dtype)) throw fail(`${tensor} of type F32, F16 or BF16`, dtype);
  const type = dtype as SafetensorsType;
  if (begin > end || end > dataBytes) {
    throw fail(`${tensor} within the file's ${dataBytes} bytes of data`, `bytes ${begin} to ${end}`);
  }
  // A product beyond 2^53 is inexact, but still far beyond any byte count it is compared with.
  const valueCount = shape.reduce((product, length) => product * length, 1);
  const sizeBytes = valueCount * BYTES_PER_VALUE[type];
  if (sizeBytes !== end - begin) {
    throw fail(
      `${tensor} to hold ${sizeBytes} bytes ([${shape.join(', ')}] of ${type})`,
      `${end - begin} bytes`,
    );
  }
  return { name, type, shape, valueCount, begin, end };
}

function fail(expected: string, got: string): Error {
  return new Error(`readSafetensors: expected ${expected}, got ${got}`);
}
