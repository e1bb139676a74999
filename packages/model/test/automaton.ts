import type { ModelConfig, NamedArray } from '../src/index.js';
import { tensorShapes } from '../src/index.js';

/** The words of the automaton; COUNT + n says that n more latents are to come. */
export const WORD = { eos: 0, end: 1, endTail: 2, answer: 3, unit: 4, loop: 5, count: 6 } as const;

const VOCABULARY = 11;

export const automatonConfig: ModelConfig = {
  architecture: 'llama',
  vocabularySize: VOCABULARY,
  width: VOCABULARY + 1,
  layers: 1,
  heads: 2,
  keyValueHeads: 1,
  headWidth: 6,
  feedForwardWidth: 2,
  ropeBase: 100,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  maxPositions: 64,
};

/**
 * A model that needs no training to be understood: its layer adds nothing, a word's embedding is one-hot, and
 * the output table says which word follows. COUNT + n is followed by COUNT + n - 1, COUNT by the end marker
 * (two words), that by `answer unit`, and that by the end of text; LOOP follows itself.
 */
export function automatonWeights(): Map<string, NamedArray> {
  const follows = new Map<number, number>([
    [WORD.count, WORD.end],
    [WORD.end, WORD.endTail],
    [WORD.endTail, WORD.answer],
    [WORD.answer, WORD.unit],
    [WORD.unit, WORD.eos],
    [WORD.loop, WORD.loop],
  ]);
  for (let word = WORD.count + 1; word < VOCABULARY; word++) follows.set(word, word - 1);
  const { width } = automatonConfig;
  const weights = new Map<string, NamedArray>();
  for (const [name, shape] of tensorShapes(automatonConfig)) {
    const data = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
    if (name.endsWith('norm.weight')) data.fill(1);
    if (name === 'model.embed_tokens.weight') {
      for (let word = 0; word < VOCABULARY; word++) data[word * width + word] = 1;
    }
    if (name === 'lm_head.weight') for (const [word, next] of follows) data[next * width + word] = 9;
    weights.set(name, { shape, data });
  }
  return weights;
}

/** A word's embedding. */
export function oneHot(word: number): Float32Array {
  return new Float32Array(automatonConfig.width).fill(1, word, word + 1);
}
