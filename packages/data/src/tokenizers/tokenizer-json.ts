import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CHARACTER_RULE } from './character-tokenizer.js';
import { SPECIAL_WORDS, type Tokenizer, unitTokenizer } from './tokenizer.js';
import { WORD_RULE } from './word-tokenizer.js';

const tokenizerSchema = z.strictObject({
  kind: z.enum(['word', 'character']),
  vocabulary: z.array(z.string()).refine((words) => SPECIAL_WORDS.every((word, id) => words[id] === word), {
    message: `expected a vocabulary that starts with ${SPECIAL_WORDS.join(' ')}`,
  }),
});

/**
 * The tokenizer that `toJSON` described.
 *
 * @param source Where the value is from, for the error (a file's name).
 * @throws if the value is no tokenizer.
 * @throws if a unit of the vocabulary could never be met in a text, or comes twice.
 */
export function tokenizerFromJSON(value: unknown, source = 'value'): Tokenizer {
  const parsed = tokenizerSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const path = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
    throw new Error(
      `tokenizerFromJSON: expected a tokenizer {kind, vocabulary} in ${source}, got${path}: ${issue.message}`,
    );
  }
  const rule = parsed.data.kind === 'word' ? WORD_RULE : CHARACTER_RULE;
  const units = parsed.data.vocabulary.slice(SPECIAL_WORDS.length);
  for (const unit of units) {
    const split = rule.split(unit);
    if (split.length !== 1 || split[0] !== unit) {
      throw new Error(
        `tokenizerFromJSON: expected one ${rule.kind} a vocabulary entry in ${source}, got ${JSON.stringify(unit)}`,
      );
    }
  }
  return unitTokenizer(rule, units);
}

/** The sha256 of a tokenizer (hex): equal for two that give the same ids. */
export function tokenizerDigest(tokenizer: Tokenizer): string {
  return createHash('sha256').update(JSON.stringify(tokenizer.toJSON())).digest('hex');
}
