import { randomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../record.js';
import type { Task } from '../tasks/task.js';
import { hashQuestion } from './digest.js';

export interface SplitSizes {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

export interface GeneratedSplits {
  /** May hold a question twice, but none of validation or test. */
  readonly train: ReasoningRecord[];
  /** Questions that differ from each other and from those of test. */
  readonly validation: ReasoningRecord[];
  /** Questions that differ from each other. */
  readonly test: ReasoningRecord[];
  /** Rows that were made and left out because their question was taken. */
  readonly dropped: { readonly train: number; readonly validation: number; readonly test: number };
}

const SPLITS = ['test', 'validation', 'train'] as const;
const ROUNDS = 50;

/**
 * Makes the rows of a task for training, validation and test, no question in two of them (by `hashQuestion`).
 *
 * Test rows are made first and depend on the seed and their number alone: more training rows leave them as they are.
 *
 * @throws if the task has too few questions for the sizes asked for.
 */
export function generateSplits(task: Task, sizes: SplitSizes): GeneratedSplits {
  const taken = new Set<string>();
  const rows = {
    train: [] as ReasoningRecord[],
    validation: [] as ReasoningRecord[],
    test: [] as ReasoningRecord[],
  };
  const dropped = { train: 0, validation: 0, test: 0 };

  for (const [number, split] of SPLITS.entries()) {
    const seeds = randomDraws(sizes.seed, number);
    for (let round = 0; rows[split].length < sizes[split]; round++) {
      if (round === ROUNDS) {
        throw new Error(
          `generateSplits: expected ${sizes[split]} ${split} rows of ${task.name} with questions of their own, ` +
            `got ${rows[split].length} (${taken.size} questions are taken)`,
        );
      }
      const seed = seeds.integer(2 ** 32);
      for (const record of task.generate(sizes[split] - rows[split].length, seed)) {
        const hash = hashQuestion(record.question);
        if (taken.has(hash)) {
          dropped[split]++;
          continue;
        }
        if (split !== 'train') taken.add(hash);
        rows[split].push(record);
      }
    }
  }
  return { ...rows, dropped };
}
