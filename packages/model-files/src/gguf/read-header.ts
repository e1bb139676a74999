import { closeSync, fstatSync, openSync } from 'node:fs';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { walkGgufHeader } from './header-walk.js';
import { checkTensorPlaces } from './tensor-places.js';
import { GGUF_TENSOR_TYPES, type GgufTensorType, tensorSizeBytes, valuesPerBlock } from './tensor-types.js';

/** One tensor of a GGUF file. */
export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major: `[rows, columns]`, which is GGUF's own order of dimensions reversed. */
  readonly shape: readonly number[];
  readonly type: GgufTensorType;
  /** Bytes after `dataOffset`. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What a GGUF file says before its data. */
export interface GgufHeader {
  /** By key. Whole numbers are numbers where they are below 2^53. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly GgufTensorInfo[];
  /** Where in the file the tensors' data begins, in bytes. */
  readonly dataOffset: number;
}

/**
 * Reads the header of a GGUF file, and checks that every tensor's data lies inside the file.
 * @throws If the file is missing, or no little-endian GGUF of version 2 or 3.
 * @throws If a count or length in the header goes beyond the file.
 * @throws If the alignment is not a power of 2, a tensor's name comes twice, or its type cannot be read here.
 * @throws If a tensor's shape overflows, its data is misaligned, overlaps another's, or ends beyond the file.
 */
export async function readGgufHeader(file: string): Promise<GgufHeader> {
  const fileBytes = checkLengths(file);
  const parsed = await parse(file);
  const dataOffset = Number(parsed.tensorDataOffset);
  const metadata = Object.fromEntries(
    Object.entries(parsed.metadata).map(([key, value]) => [key, withoutBigInts(value)]),
  );
  const tensors = parsed.tensorInfos.map(({ name, shape, dtype, offset }) =>
    tensorInfo(
      name,
      shape.map(Number).reverse(),
      GGMLQuantizationType[dtype] ?? `type ${dtype}`,
      Number(offset),
      file,
    ),
  );
  checkTensorPlaces(tensors, fileBytes - dataOffset, alignmentOf(metadata, file), file);
  return { metadata, tensors, dataOffset };
}

function alignmentOf(metadata: Readonly<Record<string, unknown>>, file: string): number {
  const alignment = metadata['general.alignment'] ?? 32;
  // The parser rounds up by bits: with another number it would say another place.
  if (
    typeof alignment !== 'number' ||
    !(alignment >= 1 && alignment <= 1 << 20) ||
    (alignment & (alignment - 1)) !== 0
  ) {
    throw new Error(
      `readGgufHeader: expected a power of 2 as general.alignment in ${file}, got ${typeof alignment === 'number' ? alignment : typeof alignment}`,
    );
  }
  return alignment;
}

function checkLengths(file: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new Error(
      `readGgufHeader: expected the file ${file}, got ${(error as NodeJS.ErrnoException).code}`,
    );
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile())
      throw new Error(`readGgufHeader: expected a file at ${file}, got a folder or device`);
    walkGgufHeader(descriptor, found.size, file);
    return found.size;
  } finally {
    closeSync(descriptor);
  }
}

async function parse(file: string): Promise<Awaited<ReturnType<typeof gguf>>> {
  try {
    return await gguf(file, { allowLocalFile: true });
  } catch (error) {
    throw new Error(`readGgufHeader: expected a GGUF header in ${file}, got ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function tensorInfo(
  name: string,
  shape: number[],
  type: string,
  offset: number,
  file: string,
): GgufTensorInfo {
  const tensor = `tensor "${name}" in ${file}`;
  if (!isReadable(type)) {
    throw new Error(
      `readGgufHeader: expected ${tensor} of type ${GGUF_TENSOR_TYPES.join(', ')}, got ${type}`,
    );
  }
  const valueCount = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(valueCount)) {
    throw new Error(
      `readGgufHeader: expected ${tensor} of fewer than 2^53 values, got [${shape.join(', ')}]`,
    );
  }
  if (shape.at(-1)! % valuesPerBlock(type) !== 0) {
    throw new Error(
      `readGgufHeader: expected ${tensor} (${type}) with rows of whole blocks of ${valuesPerBlock(type)}, got [${shape.join(', ')}]`,
    );
  }
  return { name, shape, type, offset, sizeBytes: tensorSizeBytes(type, valueCount) };
}

function isReadable(type: string): type is GgufTensorType {
  return (GGUF_TENSOR_TYPES as string[]).includes(type);
}

function withoutBigInts(value: unknown): unknown {
  if (Array.isArray(value))
    return value.some((each) => typeof each === 'bigint') ? value.map(withoutBigInts) : value;
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
