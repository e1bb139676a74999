import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ReasoningRecord } from '../record.js';
import { describeRecords, type RecordsDescription } from './describe-records.js';
import {
  chooseRecords,
  type LeftOut,
  parseRecords,
  type ReadOptions,
  type RecordFormat,
} from './read-records.js';

export interface RecordFile {
  readonly records: ReasoningRecord[];
  readonly description: RecordsDescription & {
    readonly file: string;
    readonly sizeBytes: number;
    /** Of the file's bytes, hex. */
    readonly sha256: string;
    /** Records of the file, dropped ones included. */
    readonly rows: number;
    /** Records left out, by reason. */
    readonly leftOut: LeftOut;
    readonly dropped: number;
  };
}

/**
 * Reads a file of records and describes it.
 *
 * @throws if the file cannot be read, or is not UTF-8.
 * @throws as `readRecords` does.
 */
export function readRecordFile(file: string, format: RecordFormat, options: ReadOptions = {}): RecordFile {
  const bytes = readBytes(file);
  const located = parseRecords(decodeText(bytes, file), format, file);
  const { records, leftOut } = chooseRecords(located, file, options);
  return {
    records,
    description: {
      file,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      rows: located.length,
      leftOut,
      dropped: located.length - records.length,
      ...describeRecords(records),
    },
  };
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const got = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : (code ?? String(error));
    throw new Error(`readRecordFile: expected a file at ${file}, got ${got}`);
  }
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`readRecordFile: expected UTF-8 text in ${file}, got bytes that are none`);
  }
}
