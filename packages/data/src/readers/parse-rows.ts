import type { Row } from './containers/row.js';
import { MAX_ROW_CHARACTERS, tooLong } from './containers/row.js';
import { describeRow, detectFormat, FORMATS, type NamedFormat } from './formats/formats.js';
import { ownFields } from './formats/own-fields.js';
import type { RowFormat } from './formats/row-format.js';
import type { LocatedRecord } from './located-record.js';
import type { ReadOptions } from './read-options.js';
import { RecordError, sourceError } from './source-error.js';

/** A data set's format by name, or `auto`: what the first row looks like. */
export type RecordFormat = NamedFormat | 'auto';

/** What rows were read in: a format, or fields by name. */
export type ResolvedFormat = NamedFormat | 'fields';

/** The formats that can be named. */
export const recordFormats: readonly RecordFormat[] = ['auto', ...(Object.keys(FORMATS) as NamedFormat[])];

/** @throws if there is no format of that name. */
export function checkFormat(format: string): void {
  if ((recordFormats as readonly string[]).includes(format)) return;
  throw new Error(
    `readRecords: expected a format of ${recordFormats.join(', ')}, got ${JSON.stringify(format)}`,
  );
}

/** Every record of some rows, in order, and the format they were read in. */
export interface ParsedRows {
  readonly located: LocatedRecord[];
  readonly format: ResolvedFormat | null;
}

/**
 * Rows as records; what is wrong goes to `onProblem` or is thrown.
 *
 * @throws if a row is not in the format, or none is.
 */
export function parseRows(
  rows: Iterable<Row>,
  format: RecordFormat,
  source: string,
  { fields, onProblem }: ReadOptions,
): ParsedRows {
  const located: LocatedRecord[] = [];
  let name = format === 'auto' || fields !== undefined ? null : format;
  let reader: RowFormat | null = fields === undefined ? name && FORMATS[name] : ownFields(fields);
  let reported = false;
  const attempt = (read: () => void) => {
    try {
      read();
    } catch (error) {
      if (onProblem === undefined || !(error instanceof RecordError)) throw error;
      reported = true;
      onProblem(error.problem);
    }
  };
  attempt(() => {
    for (const row of rows) {
      attempt(() => {
        if ('problem' in row) throw row.problem;
        if (reader === null) {
          name = detectFormat(row.value);
          if (name === null) throw unknownFormat(row.value, source, row.place);
          reader = FORMATS[name];
        }
        for (const record of reader.read(row.value, source, row.place)) {
          located.push(withinLength(record, source));
        }
      });
    }
    if (located.length === 0 && !reported) throw sourceError(source, 'line 1', 'at least one record', 'none');
  });
  return { located, format: fields === undefined ? name : 'fields' };
}

function unknownFormat(row: unknown, source: string, place: string): RecordError {
  return sourceError(source, place, 'a row of a known format, or fields by name', describeRow(row));
}

function withinLength(located: LocatedRecord, source: string): LocatedRecord {
  const { question, steps, answer } = located.record;
  const characters = steps.reduce((total, step) => total + step.length, question.length + answer.length);
  if (characters > MAX_ROW_CHARACTERS) throw tooLong(source, located.place, characters);
  return located;
}
