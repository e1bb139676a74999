import { createHash } from 'node:crypto';
import type { ReasoningRecord } from '../record.js';
import { chooseRecords } from './choose-records.js';
import { type Container, containerByName } from './containers/container.js';
import { parquetRows } from './containers/parquet-rows.js';
import { describeRecords, type RecordsDescription } from './describe-records.js';
import { decodeText, readBytes } from './file-bytes.js';
import type { NamedFormat } from './formats/formats.js';
import { type ParsedRows, parseRows, type RecordFormat } from './parse-rows.js';
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
  /** The format asked for or detected; null if the fields were named. */
  readonly format: NamedFormat | null;
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
  const bytes = await readBytes(file);
  const { located, container, format: resolved } = await parseBytes(bytes, format, file, options);
  const { kept, records, leftOut } = chooseRecords(located, file, options);
  return {
    records,
    places: kept.map(({ place }) => place),
    description: {
      file,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      container,
      format: resolved,
      rows: located.length,
      leftOut,
      dropped: located.length - records.length,
      ...describeRecords(records),
    },
  };
}

type ParsedFile = ParsedRows & { readonly container: Container };

async function parseBytes(
  bytes: Uint8Array,
  format: RecordFormat,
  file: string,
  options: ReadOptions,
): Promise<ParsedFile> {
  try {
    if (containerByName(file) !== 'parquet') {
      return parseText(decodeText(bytes, file), format, file, options);
    }
    const rows = await parquetRows(bytes, file);
    return { ...parseRows(rows, format, file, options), container: 'parquet' };
  } catch (error) {
    if (options.onProblem === undefined || !(error instanceof RecordError)) throw error;
    options.onProblem(error.problem);
    return { located: [], format: null, container: containerByName(file) ?? 'txt' };
  }
}
