import type { ReasoningRecord } from '../record.js';
import { parseGsm8k } from './gsm8k.js';
import { parseGsm8kAug } from './gsm8k-aug.js';
import { parseJsonLines } from './jsonl.js';
import type { LocatedRecord } from './located-record.js';
import { parseProsqa } from './prosqa.js';
import { sourceError } from './source-error.js';

const PARSERS = { jsonl: parseJsonLines, prosqa: parseProsqa, 'gsm8k-aug': parseGsm8kAug, gsm8k: parseGsm8k };

export type RecordFormat = keyof typeof PARSERS;

/** The formats that `readRecords` knows. */
export const recordFormats = Object.keys(PARSERS) as readonly RecordFormat[];

export interface ReadOptions {
  /**
   * What to do with a record without steps: `keep` (default) it, as evaluation needs; `error`, as compressing a
   * chain needs one; or `drop` it.
   */
  readonly emptyChain?: 'keep' | 'error' | 'drop';
  /**
   * Which chains of GSM8K's annotations are kept: those whose every step recomputes and whose last result is the
   * answer (`checked`, default), those whose steps recompute, or `all`. Evaluation reads `all`.
   */
  readonly chains?: 'checked' | 'recomputing' | 'all';
}

/** Records left out, by reason. */
export interface LeftOut {
  /** A step does not recompute. */
  readonly notRecomputing: number;
  /** The steps recompute, yet the last result is not the answer, or there is no step. */
  readonly notEndingInAnswer: number;
  readonly emptyChain: number;
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
  return chooseRecords(parseRecords(text, format, source), source, options).records;
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

/** The records that the options keep, and how many they leave out. */
export function chooseRecords(
  located: readonly LocatedRecord[],
  source: string,
  { emptyChain = 'keep', chains = 'checked' }: ReadOptions,
): { records: ReasoningRecord[]; leftOut: LeftOut } {
  const leftOut = { notRecomputing: 0, notEndingInAnswer: 0, emptyChain: 0 };
  const records = located.flatMap(({ record, place, checks }) => {
    if (checks !== undefined && chains !== 'all' && !checks.recomputes) leftOut.notRecomputing += 1;
    else if (checks !== undefined && chains === 'checked' && !checks.endsInAnswer)
      leftOut.notEndingInAnswer += 1;
    else if (record.steps.length > 0 || emptyChain === 'keep') return [record];
    else if (emptyChain === 'error')
      throw sourceError(source, place, 'a chain with at least one step', 'an empty chain');
    else leftOut.emptyChain += 1;
    return [];
  });
  return { records, leftOut };
}
