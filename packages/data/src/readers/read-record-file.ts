import { createHash } from 'node:crypto';
import type { ReasoningRecord } from '../record.js';
import { chooseRecords } from './choose-records.js';
import { type Container, containerByName } from './containers/container.js';
import { isParquet, parquetRows } from './containers/parquet-rows.js';
import { describeRecords, type RecordsDescription } from './describe-records.js';
import { decodeText, readBytes } from './file-bytes.js';
import {
  checkFormat,
  type ParsedRows,
  parseRows,
  type RecordFormat,
  type ResolvedFormat,
} from './parse-rows.js';
import type { LeftOut, ReadOptions } from './read-options.js';
import { parseText } from './read-records.js';
import { RecordError } from './source-error.js';

export interface RecordFile {
  readonly records: ReasoningRecord[];
  /** Where each record stands: `line 7`. */
  readonly places: string[];
  readonly description: FileDescription;
}

export interface FileDescription extends RecordsDescription {
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
  readonly container: Container;
  /** The format asked for or told from the first row; null if no row is in any. */
  readonly format: ResolvedFormat | null;
  /** Records of the file, those left out included. */
  readonly rows: number;
  /** Records left out, by reason. */
  readonly leftOut: LeftOut;
  readonly dropped: number;
}

/**
 * Reads a file of records and describes it: JSON Lines, JSON, CSV, TSV or lines of text, by its extension or its
 * content, or Parquet.
 *
 * @throws if the file cannot be read, is larger than 512 MiB, or is not UTF-8.
 * @throws if a Parquet file is damaged.
 * @throws as `readRecords` does.
 */
export async function readRecordFile(
  file: string,
  format: RecordFormat = 'auto',
  options: ReadOptions = {},
): Promise<RecordFile> {
  return describeParsedFile(await parseFile(file, format, options), options);
}

/** Every record of a file, and what the file is. */
export interface ParsedFile extends ParsedRows {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly container: Container;
}

/** Reads every record of a file, those too that the options leave out. */
export async function parseFile(
  file: string,
  format: RecordFormat,
  options: ReadOptions,
): Promise<ParsedFile> {
  checkFormat(format);
  const bytes = await readBytes(file);
  const parquet = containerByName(file) === 'parquet' || isParquet(bytes);
  try {
    if (!parquet) return { file, bytes, ...parseText(decodeText(bytes, file), format, file, options) };
    const rows = await parquetRows(bytes, file);
    return { file, bytes, ...parseRows(rows, format, file, options), container: 'parquet' };
  } catch (error) {
    if (options.onProblem === undefined || !(error instanceof RecordError)) throw error;
    options.onProblem(error.problem);
    const container = parquet ? 'parquet' : (containerByName(file) ?? 'txt');
    return { file, bytes, located: [], format: null, container };
  }
}

/** The records that the options keep, and the description of the file they are from. */
export function describeParsedFile(
  { file, bytes, located, container, format }: ParsedFile,
  options: ReadOptions,
): RecordFile {
  const { kept, records, leftOut } = chooseRecords(located, file, options);
  return {
    records,
    places: kept.map(({ place }) => place),
    description: {
      file,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      container,
      format,
      rows: located.length,
      leftOut,
      dropped: located.length - records.length,
      ...describeRecords(records),
    },
  };
}
