import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { sourceError } from './source-error.js';

const MEBIBYTE = 2 ** 20;
const MAX_FILE_BYTES = 512 * MEBIBYTE;
const LINE_FEED = 0x0a;

/**
 * A file's bytes.
 *
 * @throws if there is no such file, or it is too large to be held in memory as one text.
 */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_FILE_BYTES) return await readFile(file);
    const got = `${Math.ceil(size / MEBIBYTE)} MiB`;
    throw new Error(
      `readRecordFile: expected at most ${MAX_FILE_BYTES / MEBIBYTE} MiB in ${file}, got ${got}; split it`,
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const got = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : code;
    throw new Error(`readRecordFile: expected a file at ${file}, got ${got}`);
  }
}

/**
 * UTF-8 bytes as text.
 *
 * @throws if they are not UTF-8, naming the first line that is not.
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const [first, second] = bytes;
  const wide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const got = wide ? 'UTF-16' : 'bytes that are none';
  throw sourceError(file, `line ${wide ? 1 : firstBadLine(bytes)}`, 'UTF-8 text', got);
}

/** No character of several bytes holds a line feed, so that lines can be looked at alone. */
function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf(LINE_FEED, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
