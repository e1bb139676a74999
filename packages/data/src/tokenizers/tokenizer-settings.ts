import { z } from 'zod';

/** What we read of `tokenizer_config.json`; other fields are kept as they came. */
export interface TokenizerSettings {
  readonly bos_token?: string;
  readonly eos_token?: string;
  readonly pad_token?: string;
  readonly unk_token?: string;
  readonly chat_template?: string;
  readonly [field: string]: unknown;
}

const tokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)], {
    error: 'expected a token as a text or as {content}',
  })
  .nullish();

const settingsSchema = z.looseObject({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))], {
      error: 'expected a template as a text or as a list of {name, template}',
    })
    .nullish(),
});

/**
 * The content of a `tokenizer_config.json` or `special_tokens_map.json`, each special token as its text, and of
 * several chat templates the one named `default`.
 *
 * @throws if a field that we read has the wrong type.
 */
export function checkTokenizerSettings(value: unknown, source: string): TokenizerSettings {
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const path = issue.path.length > 0 ? ` at ${issue.path.join('.')}` : '';
    throw new Error(`loadTokenizer: expected tokenizer settings in ${source}, got${path}: ${issue.message}`);
  }
  // zod sorts; what is stored keeps the file's own order
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(value as object)) settings[name] = parsed.data[name];
  const { chat_template: templates } = parsed.data;
  if (Array.isArray(templates)) {
    settings.chat_template = templates.find(({ name }) => name === 'default')?.template;
  }
  for (const name of Object.keys(settings)) if (settings[name] == null) delete settings[name];
  return settings;
}
