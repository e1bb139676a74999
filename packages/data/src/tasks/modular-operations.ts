import type { RandomDraws } from '@latent-sft/random';

/** `+ 4`, `- 4` or `* 7`, modulo a number. */
export interface Operation {
  readonly operator: '+' | '-' | '*';
  readonly operand: number;
}

/** One token an operation (`+4`), or operator and operand apart (`+ 4`). */
export type OperationForm = 'pair' | 'separate';

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * The operations of a modulus that are bijections and change something: no answer is likelier than another.
 *
 * @returns by operator: + and - with 1..modulus-1, * with the units above 1 (3, 7, 9 for modulus 10).
 * @throws if the modulus is no integer in [2, 1000].
 */
export function bijectiveOperations(modulus: number, caller: string): readonly (readonly Operation[])[] {
  if (!Number.isInteger(modulus) || modulus < 2 || modulus > 1000) {
    throw new Error(`${caller}: expected a modulus that is an integer in [2, 1000], got ${modulus}`);
  }
  const operands = Array.from({ length: modulus - 1 }, (_, index) => index + 1);
  const units = operands.filter((operand) => operand > 1 && greatestCommonDivisor(operand, modulus) === 1);
  return [
    operands.map((operand) => ({ operator: '+', operand }) as const),
    operands.map((operand) => ({ operator: '-', operand }) as const),
    units.map((operand) => ({ operator: '*', operand }) as const),
  ].filter((operations) => operations.length > 0);
}

/** An operation: the operator uniform, then its operand uniform. */
export function drawOperation(random: RandomDraws, operations: readonly (readonly Operation[])[]): Operation {
  return random.pick(random.pick(operations));
}

/** The value after the operation, in [0, modulus). */
export function applyOperation(value: number, { operator, operand }: Operation, modulus: number): number {
  if (operator === '*') return (value * operand) % modulus;
  return (value + (operator === '+' ? operand : modulus - operand)) % modulus;
}

/** The operation as text. */
export function writeOperation({ operator, operand }: Operation, form: OperationForm): string {
  return form === 'pair' ? `${operator}${operand}` : `${operator} ${operand}`;
}

/** The words that values and operations are written with. */
export function operationWords(modulus: number, form: OperationForm, caller: string): string[] {
  const operations = bijectiveOperations(modulus, caller);
  const values = Array.from({ length: modulus }, (_, value) => String(value));
  if (form === 'separate') return [...values, ...operations.map((group) => group[0]!.operator), '='];
  return [...values, ...operations.flat().map((operation) => writeOperation(operation, 'pair'))];
}
