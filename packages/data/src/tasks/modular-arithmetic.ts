import type { RandomDraws } from '@latent-sft/random';
import type { ReasoningRecord } from '../record.js';
import {
  applyOperation,
  bijectiveOperations,
  drawOperation,
  type OperationForm,
  operationWords,
  writeOperation,
} from './modular-operations.js';
import { drawLength, generateRows, type LengthRange, lengthBounds, type Task } from './task.js';

export interface ModularArithmeticOptions {
  /** Operations a question, or the least and the greatest number of them. Default 6. */
  readonly operations?: LengthRange;
  /** Default 10. */
  readonly modulus?: number;
  /** `pair` (default): `+4` is one word and a step is `+4 7`; `separate`: `+ 4`, and a step is `+ 4 = 7`. */
  readonly form?: OperationForm;
}

/**
 * Running modular arithmetic: a value, operations on it in order, and the value after the last.
 *
 * Question `3 +4 *7 -2 ?`, steps `+4 7`, `*7 9`, `-2 7`, answer `7`. All operations are bijections and the
 * first value is uniform, so no guess beats 1 / modulus.
 *
 * @throws if the operations are no integer >= 1 or range of them.
 * @throws if the modulus is no integer in [2, 1000].
 */
export function modularArithmetic(options: ModularArithmeticOptions = {}): Task {
  const { operations: length = 6, modulus = 10, form = 'pair' } = options;
  const bounds = lengthBounds(length, 'modularArithmetic', 1);
  const operations = bijectiveOperations(modulus, 'modularArithmetic');

  const row = (random: RandomDraws): ReasoningRecord => {
    let value = random.integer(modulus);
    const question = [String(value)];
    const steps: string[] = [];
    const count = drawLength(random, bounds);
    for (let index = 0; index < count; index++) {
      const operation = drawOperation(random, operations);
      const written = writeOperation(operation, form);
      value = applyOperation(value, operation, modulus);
      question.push(written);
      steps.push(form === 'pair' ? `${written} ${value}` : `${written} = ${value}`);
    }
    return { question: [...question, '?'].join(' '), steps, answer: String(value) };
  };

  return {
    name: 'modular-arithmetic',
    vocabulary: [...operationWords(modulus, form, 'modularArithmetic'), '?'],
    chance: 1 / modulus,
    generate: (count, seed) => generateRows(count, seed, row),
  };
}
