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

export interface VariableChainsOptions {
  /** Variables a question (at most 26), or the least and the greatest number of them. Default 4. */
  readonly variables?: LengthRange;
  /** Default 10. */
  readonly modulus?: number;
  /** Whether the assignments are shuffled (default) or stand in the order in which they are needed. */
  readonly shuffled?: boolean;
  /** `pair`: `b = a +4`, steps `b 7`; `separate` (default): `b = a + 4`, steps `b = 7`. */
  readonly form?: OperationForm;
}

const NAMES = [...'abcdefghijklmnopqrstuvwxyz'];

/**
 * Variable chains: each variable is the one before it and an operation; asked is the last one's value.
 *
 * Question `c = b * 3 ; a = 3 ; b = a + 4 ; c ?`, steps in order of dependency `a = 3`, `b = 7`, `c = 1`,
 * answer `1`. Names are drawn without replacement, so a name says nothing about the place in the chain.
 *
 * @throws if the variables are no integer in [1, 26] or range of them.
 * @throws if the modulus is no integer in [2, 1000].
 */
export function variableChains(options: VariableChainsOptions = {}): Task {
  const { variables = 4, modulus = 10, shuffled = true, form = 'separate' } = options;
  const bounds = lengthBounds(variables, 'variableChains', 1);
  if (bounds[1] > NAMES.length) {
    throw new Error(`variableChains: expected at most ${NAMES.length} variables, got ${bounds[1]}`);
  }
  const operations = bijectiveOperations(modulus, 'variableChains');

  const row = (random: RandomDraws): ReasoningRecord => {
    const names = random.shuffle(NAMES).slice(0, drawLength(random, bounds));
    const assignments: string[] = [];
    const steps: string[] = [];
    let value = random.integer(modulus);
    for (const [index, name] of names.entries()) {
      if (index === 0) {
        assignments.push(`${name} = ${value}`);
      } else {
        const operation = drawOperation(random, operations);
        value = applyOperation(value, operation, modulus);
        assignments.push(`${name} = ${names[index - 1]} ${writeOperation(operation, form)}`);
      }
      steps.push(form === 'pair' ? `${name} ${value}` : `${name} = ${value}`);
    }
    const facts = shuffled ? random.shuffle(assignments) : assignments;
    return {
      question: [...facts, `${names.at(-1)} ?`].join(' ; '),
      steps,
      answer: String(value),
    };
  };

  const words = [...operationWords(modulus, form, 'variableChains'), '=', ';', '?', ...NAMES];
  return {
    name: 'variable-chains',
    vocabulary: [...new Set(words)],
    chance: 1 / modulus,
    generate: (count, seed) => generateRows(count, seed, row),
  };
}
