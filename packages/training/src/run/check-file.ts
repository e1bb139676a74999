import { statSync } from 'node:fs';
import { digestFile, type FileDigest } from './digest.js';

/**
 * Checks that a file still holds what its manifest says.
 * @param reader The function that reads it, for messages.
 * @throws If the file is missing, or its size or its SHA-256 is another.
 */
export function checkFile(reader: string, file: string, expected: FileDigest): void {
  checkFileSize(reader, file, expected);
  const found = digestFile(file).sha256;
  if (found !== expected.sha256) {
    throw new Error(
      `${reader}: expected sha256 ${expected.sha256} of ${file}, got ${found}: its content was changed`,
    );
  }
}

/**
 * The quick half of `checkFile`.
 * @throws If the file is missing, or its size is another.
 */
export function checkFileSize(reader: string, file: string, expected: FileDigest): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found)
    throw new Error(`${reader}: expected the file ${file} of ${expected.sizeBytes} bytes, got none`);
  if (found.size !== expected.sizeBytes) {
    const how = found.size < expected.sizeBytes ? 'it was cut short' : 'something was added';
    throw new Error(`${reader}: expected ${expected.sizeBytes} bytes in ${file}, got ${found.size}: ${how}`);
  }
}
