import { readFileSync, statSync } from 'node:fs';

/**
 * Reads a JSON file; a byte-order mark in front is passed over.
 * @param functionName For messages.
 * @param maxBytes Longer files are refused unread.
 * @throws If the file is missing, longer than that, not UTF-8 or not JSON.
 */
export function readJsonFile(functionName: string, file: string, maxBytes: number): unknown {
  try {
    const { size } = statSync(file);
    if (size > maxBytes) throw new Error(`${size} bytes, more than ${maxBytes}`);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'bytes that are not UTF-8' : (code ?? message);
    throw new Error(`${functionName}: expected JSON in ${file}, got ${reason}`);
  }
}
