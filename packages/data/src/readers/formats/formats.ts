import { quoted } from '../source-error.js';
import { gsm8k, multiarith, svamp } from './equations.js';
import { gsm8kAug, multiplication } from './line-chains.js';
import { aime, mathematics } from './mathematics.js';
import { gsmHard, numericAnswers } from './numeric-answers.js';
import { prontoqaHops } from './prontoqa-hops.js';
import type { RowFormat } from './row-format.js';
import { strategyqa } from './strategyqa.js';
import { official, prontoqa, prosqa, records } from './written-chains.js';

/** Every data set by name; of several that a row looks like, the first is meant. */
export const FORMATS = {
  prosqa,
  prontoqa,
  'prontoqa-hops': prontoqaHops,
  strategyqa,
  jsonl: records,
  gsm8k,
  svamp,
  multiarith,
  'gsm-hard': gsmHard,
  mawps: numericAnswers,
  official,
  aime,
  math: mathematics,
  multiplication,
  'gsm8k-aug': gsm8kAug,
} satisfies Record<string, RowFormat>;

export type NamedFormat = keyof typeof FORMATS;

/** The format that a row looks like, or null. */
export function detectFormat(row: unknown): NamedFormat | null {
  const names = Object.keys(FORMATS) as NamedFormat[];
  return names.find((name) => FORMATS[name].matches(row)) ?? null;
}

/** What a row is, for someone who has to name its format. */
export function describeRow(row: unknown): string {
  if (typeof row === 'string') return quoted(row);
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'no object';
  const names = Object.keys(row);
  const shown = names.slice(0, 8).map((name) => quoted(name));
  return `fields ${shown.join(', ')}${names.length > 8 ? ', …' : ''}`;
}
