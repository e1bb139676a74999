import type { GgufTensorInfo } from './read-header.js';

/**
 * Checks that tensors lie aligned and apart inside the data of a GGUF file.
 * @param dataBytes Bytes in the file from where its data begins.
 * @param alignment Of every tensor's first byte.
 * @param file For messages.
 * @throws If two tensors have the same name.
 * @throws If a tensor is misaligned, ends beyond the data, or overlaps another.
 */
export function checkTensorPlaces(
  tensors: readonly GgufTensorInfo[],
  dataBytes: number,
  alignment: number,
  file: string,
): void {
  const names = new Set<string>();
  let next = 0;
  let previous = '';
  for (const { name, offset, sizeBytes } of tensors.toSorted((left, right) => left.offset - right.offset)) {
    const tensor = `tensor "${name}" in ${file}`;
    if (names.has(name)) throw new Error(`readGgufHeader: expected one ${tensor}, got two`);
    names.add(name);
    if (offset % alignment !== 0) {
      throw new Error(
        `readGgufHeader: expected ${tensor} at a multiple of ${alignment} bytes, got ${offset}`,
      );
    }
    if (offset + sizeBytes > dataBytes) {
      throw new Error(
        `readGgufHeader: expected ${tensor} within the file's ${Math.max(0, dataBytes)} bytes of data, got bytes ${offset} to ${offset + sizeBytes}`,
      );
    }
    if (offset < next) {
      throw new Error(
        `readGgufHeader: expected ${tensor} to begin at byte ${next} of the data or later, got ${offset}, which overlaps tensor "${previous}"`,
      );
    }
    next = offset + sizeBytes;
    previous = name;
  }
}
