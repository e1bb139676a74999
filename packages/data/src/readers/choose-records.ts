import type { ReasoningRecord } from '../record.js';
import type { LocatedRecord } from './located-record.js';
import type { LeftOut, ReadOptions } from './read-options.js';
import { sourceError } from './source-error.js';

/**
 * The records that the options keep, and how many they leave out.
 *
 * @throws if a chain is empty and `emptyChain` is `error`.
 */
export function chooseRecords(
  located: readonly LocatedRecord[],
  source: string,
  { emptyChain = 'keep', chains = 'checked' }: ReadOptions,
): { kept: LocatedRecord[]; records: ReasoningRecord[]; leftOut: LeftOut } {
  const leftOut = { notRecomputing: 0, notEndingInAnswer: 0, emptyChain: 0 };
  const kept = located.filter(({ record, place, checks }) => {
    if (checks !== undefined && chains !== 'all' && !checks.recomputes) leftOut.notRecomputing += 1;
    else if (checks !== undefined && chains === 'checked' && !checks.endsInAnswer) {
      leftOut.notEndingInAnswer += 1;
    } else if (record.steps.length > 0 || emptyChain === 'keep') return true;
    else if (emptyChain === 'error') {
      throw sourceError(source, place, 'a chain with at least one step', 'an empty chain');
    } else leftOut.emptyChain += 1;
    return false;
  });
  return { kept, records: kept.map(({ record }) => record), leftOut };
}
