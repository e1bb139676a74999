import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CHARACTER_RULE } from './character-tokenizer.js';
import { checkTokenizerFile } from './check-tokenizer-file.js';
import { huggingFaceTokenizer } from './huggingface-tokenizer.js';
import { SPECIAL_WORDS, type Tokenizer, unitTokenizer } from './tokenizer.js';
import { checkTokenizerSettings } from './tokenizer-settings.js';
import { WORD_RULE } from './word-tokenizer.js';

const unitSchema = z.strictObject({
  kind: z.enum(['word', 'character']),
  vocabulary: z.array(z.string()).refine((words) => SPECIAL_WORDS.every((word, id) => words[id] === word), {
    message: `expected a vocabulary that starts with ${SPECIAL_WORDS.join(' ')}`,
  }),
});

const huggingFaceSchema = z.strictObject({
  kind: z.literal('huggingface'),
  file: z.unknown(),
  settings: z.unknown(),
  think: z.string(),
  end: z.string(),
});

/**
 * The tokenizer that `toJSON` described.
 *
 * @param source Where the value is from, for the error (a file's name).
 * @throws if the value is no tokenizer.
 * @throws if a unit of the vocabulary could never be met in a text, or comes twice.
 */
export function tokenizerFromJSON(value: unknown, source = 'value'): Tokenizer {
  const { kind } = (value ?? {}) as { readonly kind?: unknown };
  if (kind === 'huggingface') {
    const { think, end, file, settings } = parse(huggingFaceSchema, value, source);
    return huggingFaceTokenizer(
      {
        file: checkTokenizerFile(file, source),
        settings: checkTokenizerSettings(settings, source),
        think,
        end,
      },
      source,
    );
  }
  const { kind: unit, vocabulary } = parse(unitSchema, value, source);
  const rule = unit === 'word' ? WORD_RULE : CHARACTER_RULE;
  const units = vocabulary.slice(SPECIAL_WORDS.length);
  for (const word of units) {
    const split = rule.split(word);
    if (split.length !== 1 || split[0] !== word) {
      throw new Error(
        `tokenizerFromJSON: expected one ${rule.kind} a vocabulary entry in ${source}, got ${JSON.stringify(word)}`,
      );
    }
  }
  return unitTokenizer(rule, units);
}

function parse<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
  throw new Error(
    `tokenizerFromJSON: expected a tokenizer {kind, vocabulary} in ${source}, got${path}: ${issue.message}`,
  );
}

/** The sha256 of a tokenizer (hex): equal for two that give the same ids. */
export function tokenizerDigest(tokenizer: Tokenizer): string {
  return createHash('sha256').update(JSON.stringify(tokenizer.toJSON())).digest('hex');
}
