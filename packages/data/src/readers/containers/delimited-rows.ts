import { CsvError, type Info, parse } from 'csv-parse/sync';
import { sourceError } from '../source-error.js';
import { MAX_ROW_CHARACTERS, type Row } from './row.js';

interface Cells {
  readonly record: readonly string[];
  readonly info: Info;
}

/** Rows of a table in CSV (RFC 4180) or TSV, by the names in its first line; line ends may be mixed. */
export function* delimitedRows(text: string, source: string, delimiter: ',' | '\t'): Generator<Row> {
  let header: readonly string[] | null = null;
  let before = { lines: 0, empty_lines: 0 };
  for (const { record, info } of parseCells(text, source, delimiter)) {
    // the count stands at the record's end, and blank lines before it are counted with it
    const place = `line ${before.lines + info.empty_lines - before.empty_lines + 1}`;
    before = info;
    if (header === null) header = checkedHeader(record, source, place);
    else if (record.length === header.length) {
      const names = header;
      yield { place, value: Object.fromEntries(record.map((cell, column) => [names[column]!, cell])) };
    } else {
      const problem = sourceError(source, place, `${header.length} columns`, String(record.length));
      yield { place, problem };
    }
  }
}

function parseCells(text: string, source: string, delimiter: ',' | '\t'): readonly Cells[] {
  try {
    return parse(text, {
      delimiter,
      info: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      // a tab-separated file often has quotes as mere characters
      relax_quotes: delimiter === '\t',
      skip_empty_lines: true,
      max_record_size: MAX_ROW_CHARACTERS,
    }) as unknown as Cells[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = `line ${Number(error.lines)}`;
    switch (error.code) {
      case 'CSV_QUOTE_NOT_CLOSED':
        throw sourceError(source, line, 'a closing quote', 'the end of the file');
      case 'CSV_MAX_RECORD_SIZE':
        throw sourceError(
          source,
          line,
          `at most ${MAX_ROW_CHARACTERS} characters a row`,
          'more (a quote left open?)',
        );
      case 'CSV_INVALID_CLOSING_QUOTE':
        throw sourceError(source, line, 'a comma or a line end after a closing quote', 'something else');
      default:
        throw sourceError(source, line, 'CSV', error.message.slice(0, 120));
    }
  }
}

function checkedHeader(names: readonly string[], source: string, place: string): readonly string[] {
  const trimmed = names.map((name) => name.trim());
  const twice = trimmed.find((name, column) => trimmed.indexOf(name) !== column);
  if (twice !== undefined)
    throw sourceError(source, place, 'different column names', `${JSON.stringify(twice)} twice`);
  return trimmed;
}
