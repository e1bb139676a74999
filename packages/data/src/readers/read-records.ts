import type { ReasoningRecord } from '../record.js';
import { parseGsm8kAug } from './gsm8k-aug.js';
import { parseJsonLines } from './jsonl.js';
import type { LocatedRecord } from './located-record.js';
import { parseProsqa } from './prosqa.js';
import { sourceError } from './source-error.js';

const PARSERS = { jsonl: parseJsonLines, prosqa: parseProsqa, 'gsm8k-aug': parseGsm8kAug };

export type RecordFormat = keyof typeof PARSERS;

/** The formats that `readRecords` knows. */
export const recordFormats = Object.keys(PARSERS) as readonly RecordFormat[];

export interface ReadOptions {
  /**
   * What to do with a record without steps: `keep` (default) it, as evaluation needs; `error`, as compressing a
   * chain needs one; or `drop` it.
   */
  readonly emptyChain?: 'keep' | 'error' | 'drop';
}

/**
 * Records from a file's text; a byte order mark and CRLF line ends are fine.
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
  const located = parseRecords(text, format, source);
  return applyEmptyChain(located, source, options.emptyChain ?? 'keep');
}

/** Every record of the text, empty chains included. */
export function parseRecords(text: string, format: RecordFormat, source: string): LocatedRecord[] {
  const parse = PARSERS[format];
  if (parse === undefined) {
    throw new Error(
      `readRecords: expected a format of ${recordFormats.join(', ')}, got ${JSON.stringify(format)}`,
    );
  }
  const located = parse(text.replace(/^\uFEFF/, ''), source);
  if (located.length === 0) throw sourceError(source, 'line 1', 'at least one record', 'none');
  return located;
}

/** The records that the policy keeps. */
export function applyEmptyChain(
  located: readonly LocatedRecord[],
  source: string,
  policy: 'keep' | 'error' | 'drop',
): ReasoningRecord[] {
  return located.flatMap(({ record, place }) => {
    if (record.steps.length > 0 || policy === 'keep') return [record];
    if (policy === 'error') {
      throw sourceError(source, place, 'a chain with at least one step', 'an empty chain');
    }
    return [];
  });
}
