import { closeSync, openSync } from 'node:fs';
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from '@latent-sft/model-files';
import type { NamedArray } from '../named-array.js';
import { readAt } from '../read-at.js';
import { dequantise } from './dequantise.js';

/**
 * Reads every tensor of a GGUF file under the file's own names, widened to float32.
 * @throws If the header is malformed (see `readGgufHeader`).
 * @throws If there is no memory for a tensor.
 */
export async function readGguf(
  file: string,
): Promise<{ header: GgufHeader; tensors: Map<string, NamedArray> }> {
  const header = await readGgufHeader(file);
  return { header, tensors: readGgufTensors(file, header, header.tensors) };
}

/** Reads some tensors of a GGUF file. */
export function readGgufTensors(
  file: string,
  header: GgufHeader,
  wanted: readonly GgufTensorInfo[],
): Map<string, NamedArray> {
  const descriptor = openSync(file, 'r');
  try {
    return new Map(
      wanted.map((tensor) => [tensor.name, readTensor(descriptor, tensor, header.dataOffset, file)]),
    );
  } finally {
    closeSync(descriptor);
  }
}

function readTensor(
  descriptor: number,
  tensor: GgufTensorInfo,
  dataOffset: number,
  file: string,
): NamedArray {
  const { name, shape, type, offset, sizeBytes } = tensor;
  try {
    const bytes = new Uint8Array(sizeBytes);
    readAt(descriptor, bytes, dataOffset + offset);
    const valueCount = shape.reduce((product, length) => product * length, 1);
    return { shape, data: dequantise(type, bytes, valueCount) };
  } catch (error) {
    throw new Error(
      `readGguf: expected to read tensor "${name}" [${shape.join(', ')}] in ${file}, got ${(error as Error).message}`,
      { cause: error },
    );
  }
}
