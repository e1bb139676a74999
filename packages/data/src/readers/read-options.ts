import type { FieldNames } from './formats/own-fields.js';
import type { RecordProblem } from './source-error.js';

export interface ReadOptions {
  /** The fields of rows that are in none of the formats; the format is then not asked. */
  readonly fields?: FieldNames | undefined;
  /**
   * What to do with a record without steps: `keep` (default) it, as evaluation needs; `error`, as compressing a
   * chain needs one; or `drop` it.
   */
  readonly emptyChain?: 'keep' | 'error' | 'drop' | undefined;
  /**
   * Which chains of equations are kept, where a format has them (`gsm8k`, `svamp`, `multiarith`): those whose every
   * step recomputes and whose last result is the answer (`checked`, default), those whose steps recompute, or `all`.
   * Evaluation reads `all`.
   */
  readonly chains?: 'checked' | 'recomputing' | 'all' | undefined;
  /** Told of every row that is not in the format, which is then passed over; without it the first one is an error. */
  readonly onProblem?: ((problem: RecordProblem) => void) | undefined;
}

/** Records left out, by reason. */
export interface LeftOut {
  /** A step does not recompute. */
  readonly notRecomputing: number;
  /** The steps recompute, yet the last result is not the answer, or there is no step. */
  readonly notEndingInAnswer: number;
  readonly emptyChain: number;
}
