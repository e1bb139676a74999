import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initialWeights, type ModelConfig, saveModelFolder } from '@latent-sft/model';

/** The printable ASCII characters as byte-level BPE writes them, each a token. */
const CHARACTERS = ['Ġ', 'Ċ', ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];
const END = '<|end|>';

export const pretrainedConfig: ModelConfig = {
  architecture: 'llama',
  vocabularySize: CHARACTERS.length + 1,
  width: 16,
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  headWidth: 8,
  feedForwardWidth: 24,
  ropeBase: 1000,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  maxPositions: 256,
};

/** Writes a model folder as Hugging Face has them, with weights that have seen nothing and a token a character. */
export function writeTinyPretrained(folder: string, seed = 1): string {
  saveModelFolder(folder, pretrainedConfig, initialWeights(pretrainedConfig, seed, { deviation: 0.1 }));
  const vocab = Object.fromEntries([...CHARACTERS, END].map((text, id) => [text, id]));
  const tokenizer = {
    version: '1.0',
    added_tokens: [
      {
        id: CHARACTERS.length,
        content: END,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab, merges: [] },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: END }));
  return folder;
}
