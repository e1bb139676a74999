import { quoted, type RecordError, sourceError } from '../source-error.js';
import { MAX_DEPTH, nestsTooDeep } from './json-depth.js';
import { MAX_ROW_CHARACTERS, type Row, tooLong } from './row.js';

/** Every line that is not blank, as text; lines end in LF, CRLF or CR. */
export function* textRows(text: string, source: string): Generator<Row> {
  let number = 0;
  for (const line of text.split(/\r\n|\n|\r/)) {
    number += 1;
    const place = `line ${number}`;
    if (line.length > MAX_ROW_CHARACTERS) yield { place, problem: tooLong(source, place, line.length) };
    else if (line.trim() !== '') yield { place, value: line };
  }
}

/** Every line that is not blank, as JSON. */
export function* jsonLineRows(text: string, source: string): Generator<Row> {
  for (const row of textRows(text, source)) {
    if ('problem' in row) yield row;
    else yield parsedLine(row.value as string, source, row.place);
  }
}

function parsedLine(line: string, source: string, place: string): Row {
  if (nestsTooDeep(line)) return { place, problem: tooDeep(source, place) };
  try {
    return { place, value: JSON.parse(line) };
  } catch (error) {
    const got = `${quoted(line)} (${jsonComplaint(error as Error)})`;
    return { place, problem: sourceError(source, place, 'JSON', got) };
  }
}

/** One JSON text: a list of rows, an object of rows by name, or a row; or one JSON object a line after all. */
export function* jsonRows(text: string, source: string): Generator<Row> {
  if (nestsTooDeep(text)) throw tooDeep(source, 'line 1');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (startsWithObjectLine(text)) return yield* jsonLineRows(text, source);
    throw sourceError(source, errorLine(text, error as Error), 'JSON', jsonComplaint(error as Error));
  }
  const items = itemsOf(value);
  if (items === null) throw sourceError(source, 'line 1', 'a JSON list', quoted(text.slice(0, 100)));
  for (const [index, item] of items.entries()) yield { place: `item ${index + 1}`, value: item };
}

function itemsOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return null;
  const inner: unknown[] = Object.values(value);
  const [only] = inner;
  if (inner.length === 1 && Array.isArray(only)) return only;
  const named = inner.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item));
  return named ? inner : null;
}

function startsWithObjectLine(text: string): boolean {
  const [first] = text.trimStart().split(/[\r\n]/, 1);
  try {
    return first!.startsWith('{') && typeof JSON.parse(first!) === 'object';
  } catch {
    return false;
  }
}

function tooDeep(source: string, place: string): RecordError {
  return sourceError(source, place, 'JSON', `more than ${MAX_DEPTH} lists or objects in each other`);
}

/** What JSON.parse says, without the whole text that it quotes where that is short. */
function jsonComplaint(error: Error): string {
  return error.message.slice(0, 120);
}

/** The line that JSON.parse complains about: it tells only the position, or nothing when the text ends too early. */
function errorLine(text: string, error: Error): string {
  const position = /position (\d+)/.exec(error.message)?.[1];
  return `line ${text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length}`;
}
