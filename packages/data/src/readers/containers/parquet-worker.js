// Decoding runs on a thread of its own: a damaged file can ask for any amount of memory and time, and only a thread
// can be held to limits.
import { parentPort, workerData } from 'node:worker_threads';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const { bytes, maxPageBytes } = workerData;

const bounded = Object.fromEntries(
  Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (input, outputLength) => {
      if (outputLength > maxPageBytes) throw new Error(`a page of ${outputLength} bytes`);
      return decompress(input, outputLength);
    },
  ]),
);

const plain = (value) => {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value === null || typeof value !== 'object' || value instanceof Date || ArrayBuffer.isView(value))
    return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
};

try {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const rows = await parquetReadObjects({ file, compressors: bounded });
  parentPort.postMessage({ rows: rows.map(plain) });
} catch (error) {
  parentPort.postMessage({ error: error instanceof Error ? error.message : String(error) });
}
