import { Worker } from 'node:worker_threads';
import { type RecordError, sourceError } from '../source-error.js';
import type { Row } from './row.js';

const MAGIC = 'PAR1';
const MEBIBYTE = 2 ** 20;
const MAX_PAGE_BYTES = 256 * MEBIBYTE;

/** What decoding one file may take. */
interface Limits {
  readonly heapMebibytes: number;
  readonly timeMs: number;
}

/**
 * Rows of a Parquet file, decoded within limits of memory and time that follow from its size.
 *
 * @throws if the file is none, is damaged, or does not decode within the limits.
 */
export async function parquetRows(
  bytes: Uint8Array,
  source: string,
  limits: Limits = limitsOf(bytes.length),
): Promise<Row[]> {
  checkEnds(bytes, source);
  const rows = await decode(bytes, source, limits);
  return rows.map((value, index) => ({ place: `row ${index + 1}`, value }));
}

function limitsOf(sizeBytes: number): Limits {
  const mebibytes = sizeBytes / MEBIBYTE;
  return {
    heapMebibytes: Math.min(4096, Math.ceil(256 + 24 * mebibytes)),
    timeMs: Math.ceil(10_000 + 1000 * mebibytes),
  };
}

/** Whether bytes begin as Parquet does. */
export function isParquet(bytes: Uint8Array): boolean {
  return textAt(bytes, 0) === MAGIC;
}

function textAt(bytes: Uint8Array, start: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + MAGIC.length));
}

/** The magic at both ends, and a footer that fits between them. */
function checkEnds(bytes: Uint8Array, source: string): void {
  if (bytes.length < 12) throw damaged(source, `${bytes.length} bytes`);
  if (!isParquet(bytes)) throw damaged(source, `no "${MAGIC}" at its start`);
  if (textAt(bytes, bytes.length - MAGIC.length) !== MAGIC) {
    throw damaged(source, `no "${MAGIC}" at its end (cut short?)`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const footerBytes = view.getUint32(bytes.length - 8, true);
  if (footerBytes > bytes.length - 12) {
    throw damaged(source, `a footer of ${footerBytes} bytes in a file of ${bytes.length}`);
  }
}

function damaged(source: string, got: string): RecordError {
  return sourceError(source, 'the footer', 'a Parquet file', got);
}

function decode(bytes: Uint8Array, source: string, { heapMebibytes, timeMs }: Limits): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./parquet-worker.js', import.meta.url), {
      workerData: { bytes, maxPageBytes: MAX_PAGE_BYTES },
      resourceLimits: { maxOldGenerationSizeMb: heapMebibytes },
      execArgv: [],
    });
    const fail = (got: string) => {
      finish();
      reject(sourceError(source, 'the pages', 'a Parquet file that decodes', got));
    };
    const timer = setTimeout(() => fail(`no end after ${timeMs / 1000} s`), timeMs);
    const finish = () => {
      clearTimeout(timer);
      void worker.terminate();
    };
    worker.on('message', (message: { rows?: unknown[]; error?: string }) => {
      if (message.rows === undefined) return fail(message.error!.slice(0, 200));
      finish();
      resolve(message.rows);
    });
    worker.on('error', (error: NodeJS.ErrnoException) =>
      fail(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? `more than ${heapMebibytes} MiB of rows`
          : error.message.slice(0, 200),
      ),
    );
  });
}
