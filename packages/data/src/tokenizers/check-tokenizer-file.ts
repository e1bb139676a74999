import { z } from 'zod';
import { checkBpeModel } from './check-bpe-model.js';
import { describeValue } from './describe-value.js';
import { type AddedTokenEntry, type Component, LARGEST_ID, type TokenizerFile } from './tokenizer-file.js';

const COMPONENTS = {
  normalizer: {
    list: 'normalizers',
    types:
      'BertNormalizer Precompiled Sequence Replace NFC NFD NFKC NFKD Strip StripAccents Lowercase Prepend',
  },
  pre_tokenizer: {
    list: 'pretokenizers',
    types:
      'BertPreTokenizer Sequence Whitespace WhitespaceSplit Metaspace ByteLevel Split Punctuation Digits Replace FixedLength',
  },
  post_processor: {
    list: 'processors',
    types: 'TemplateProcessing ByteLevel BertProcessing RobertaProcessing Sequence',
  },
  decoder: {
    list: 'decoders',
    types: 'ByteLevel WordPiece Metaspace BPEDecoder CTC Sequence Replace Fuse Strip ByteFallback',
  },
} as const;

const componentSchema = z.custom<Component>((value) => typeof value === 'object').nullish();

const fileSchema = z.looseObject({
  model: z.record(z.string(), z.unknown()),
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().min(0).max(LARGEST_ID),
        content: z.string().min(1),
        special: z.boolean().optional(),
        single_word: z
          .literal(false, { error: 'expected false: whole-word tokens are unknown here' })
          .optional(),
        lstrip: z.boolean().optional(),
        rstrip: z.boolean().optional(),
        normalized: z.boolean().optional(),
      }),
    )
    .nullish(),
  normalizer: componentSchema,
  pre_tokenizer: componentSchema,
  post_processor: componentSchema,
  decoder: componentSchema,
});

/**
 * The content of a `tokenizer.json`, checked as far as a wrong file could give wrong ids or an endless table.
 *
 * @throws if a field has the wrong type, or a component a type that is unknown here.
 * @throws if two tokens share an id, an id is out of range, or a merge names an unknown token.
 */
export function checkTokenizerFile(value: unknown, source: string): TokenizerFile {
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const path = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
    throw new Error(`loadTokenizer: expected a tokenizer in ${source}, got${path}: ${issue.message}`);
  }
  const fail = (expected: string, got: string) =>
    new Error(`loadTokenizer: expected ${expected} in ${source}, got ${got}`);
  for (const field of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const) {
    checkComponent(field, field, parsed.data[field], fail, 0);
  }
  const { model } = value as { readonly model: Record<string, unknown> };
  const type = model.type ?? (model.merges !== undefined ? 'BPE' : undefined);
  if (type !== 'BPE') throw fail('model.type BPE', describeValue(type));
  const added = parsed.data.added_tokens ?? [];
  checkBpeModel(model, added, fail);
  // zod copies and sorts; what is stored keeps the file's own order, and "__proto__" in a vocabulary
  const { normalizer = null, pre_tokenizer = null, post_processor = null, decoder = null } = parsed.data;
  return {
    ...(value as object),
    model: { ...model, type },
    added_tokens: (value as { added_tokens?: readonly AddedTokenEntry[] }).added_tokens ?? [],
    normalizer,
    pre_tokenizer,
    post_processor,
    decoder,
  };
}

function checkComponent(
  field: keyof typeof COMPONENTS,
  path: string,
  component: unknown,
  fail: (expected: string, got: string) => Error,
  depth: number,
): void {
  if (component === null || component === undefined) return;
  const { list, types } = COMPONENTS[field];
  if (depth > 8) throw fail(`${path} in at most 8 levels`, 'more');
  if (typeof component !== 'object') throw fail(`${path} as an object`, typeof component);
  const { type, behavior, [list]: parts } = component as Record<string, unknown>;
  if (typeof type !== 'string' || !types.split(' ').includes(type)) {
    throw fail(`${path}.type one of ${types.replaceAll(' ', ', ')}`, describeValue(type));
  }
  // the library reads every other behaviour as Isolated
  if (type === 'Split' && behavior !== 'Isolated' && behavior !== 'Removed') {
    throw fail(`${path}.behavior Isolated or Removed`, describeValue(behavior));
  }
  if (type !== 'Sequence') return;
  if (!Array.isArray(parts)) throw fail(`${path}.${list} as a list`, typeof parts);
  parts.forEach((part, i) => {
    checkComponent(field, `${path}.${list}[${i}]`, part, fail, depth + 1);
  });
}
