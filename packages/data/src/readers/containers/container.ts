import { extname } from 'node:path';
import { delimitedRows } from './delimited-rows.js';
import type { Row } from './row.js';
import { jsonLineRows, jsonRows, textRows } from './text-rows.js';

const TEXT_CONTAINERS = {
  jsonl: jsonLineRows,
  json: jsonRows,
  csv: (text: string, source: string) => delimitedRows(text, source, ','),
  tsv: (text: string, source: string) => delimitedRows(text, source, '\t'),
  txt: textRows,
};

export type TextContainer = keyof typeof TEXT_CONTAINERS;

/** What rows are kept in. */
export type Container = TextContainer | 'parquet';

const EXTENSIONS: Readonly<Record<string, Container>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.txt': 'txt',
  '.parquet': 'parquet',
};

/** The container that a file's name tells of, or null. */
export function containerByName(file: string): Container | null {
  return EXTENSIONS[extname(file).toLowerCase()] ?? null;
}

/** The container that a text looks like. */
export function containerByContent(text: string): TextContainer {
  const start = text.slice(0, 4096).trimStart();
  if (start.startsWith('[')) return 'json';
  if (start.startsWith('{')) return /^\{[^\n]*\}[^\S\n]*\r?\n\s*\{/.test(start) ? 'jsonl' : 'json';
  const [first] = start.split(/[\r\n]/, 1);
  if (first!.includes('||')) return 'txt';
  if (first!.includes('\t')) return 'tsv';
  return first!.includes(',') ? 'csv' : 'txt';
}

/** The rows of a text. */
export function rowsOfText(text: string, container: TextContainer, source: string): Iterable<Row> {
  return TEXT_CONTAINERS[container](text, source);
}
