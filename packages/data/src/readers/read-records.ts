import type { ReasoningRecord } from '../record.js';
import { chooseRecords } from './choose-records.js';
import {
  containerByContent,
  containerByName,
  rowsOfText,
  type TextContainer,
} from './containers/container.js';
import { FORMATS } from './formats/formats.js';
import { checkFormat, type ParsedRows, parseRows, type RecordFormat } from './parse-rows.js';
import type { ReadOptions } from './read-options.js';

/**
 * Records from a file's text; a byte order mark and any line ends are fine.
 *
 * Rows are kept as JSON Lines, JSON, CSV, TSV or lines, by the source's extension, or as the format usually is.
 *
 * @param source The file's name, for errors.
 * @throws if the text is not in the format, with the line or item, what was expected and what came.
 * @throws if a question or an answer is empty.
 * @throws if a chain is empty and `emptyChain` is `error`.
 * @throws if there is no record at all.
 */
export function readRecords(
  text: string,
  format: RecordFormat,
  source: string,
  options: ReadOptions = {},
): ReasoningRecord[] {
  const { located } = parseText(text, format, source, options);
  return chooseRecords(located, source, options).records;
}

/** Every record of a text. */
export function parseText(
  text: string,
  format: RecordFormat,
  source: string,
  options: ReadOptions,
): ParsedRows & { readonly container: TextContainer } {
  checkFormat(format);
  const bare = text.replace(/^\uFEFF/, '');
  const usual = format === 'auto' || options.fields !== undefined ? null : FORMATS[format].container;
  const container = containerByName(source) ?? usual ?? containerByContent(bare);
  if (container === 'parquet') {
    throw new Error(`readRecords: expected text, got the Parquet file ${source}; readRecordFile reads it`);
  }
  return { ...parseRows(rowsOfText(bare, container, source), format, source, options), container };
}
