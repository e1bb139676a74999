import type { FieldNames } from '@latent-sft/data';
import { InvalidArgumentError } from 'commander';

const PARTS = ['question', 'chain', 'answer'];

/** Reads `question=q,chain=rationale,answer=label`; the chain may be missing. */
export function readFields(text: string): FieldNames {
  const names = new Map<string, string>();
  for (const part of text.split(',')) {
    const sign = part.indexOf('=');
    const [name, field] = [part.slice(0, sign).trim(), part.slice(sign + 1).trim()];
    if (sign < 0 || !PARTS.includes(name) || field === '' || names.has(name)) {
      throw new InvalidArgumentError(
        `expected question=field,chain=field,answer=field, got ${JSON.stringify(part)}`,
      );
    }
    names.set(name, field);
  }
  const [question, chain, answer] = PARTS.map((part) => names.get(part));
  if (question === undefined || answer === undefined) {
    throw new InvalidArgumentError(`expected fields for question and answer, got ${JSON.stringify(text)}`);
  }
  return { question, answer, ...(chain !== undefined && { chain }) };
}
