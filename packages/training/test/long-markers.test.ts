import { type Tokenizer, tokenizeRecord, wordTokenizer } from '@latent-sft/data';
import {
  disposeParameters,
  type ModelConfig,
  parametersFrom,
  type ReasoningMode,
  tensorShapes,
} from '@latent-sft/model';
import { selectEngine } from '@latent-sft/tensorflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { answerQuestions } from '../src/index.js';

// markers of several tokens, as <think> and </think> are where a model has no token for them
const words = wordTokenizer(['? < think > </ 7 8 9']);
const [question, open, think, close, shut, seven, eight, nine] = [5, 6, 7, 8, 9, 10, 11, 12] as const;
const tokenizer: Tokenizer = {
  ...words,
  special: { ...words.special, think: [open, think, close], end: [shut, think, shut] },
};
const { eos } = tokenizer.special;

const config: ModelConfig = {
  architecture: 'llama',
  vocabularySize: tokenizer.vocabulary.length,
  width: 16,
  layers: 1,
  heads: 1,
  keyValueHeads: 1,
  headWidth: 16,
  feedForwardWidth: 1,
  ropeBase: 10_000,
  normEpsilon: 1e-6,
  tiedEmbeddings: false,
  maxPositions: 64,
};

/** A model whose next token is a function of the newest one: its layer adds nothing. */
function followers(next: ReadonlyMap<number, number>) {
  const weights = new Map(
    [...tensorShapes(config)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      if (name.endsWith('norm.weight')) data.fill(1);
      return [name, { shape, data }];
    }),
  );
  const table = weights.get('model.embed_tokens.weight')!.data;
  const head = weights.get('lm_head.weight')!.data;
  for (let id = 0; id < config.vocabularySize; id++) table[id * config.width + id] = 1;
  for (const [id, follower] of next) head[follower * config.width + id] = 10;
  return parametersFrom(weights);
}

beforeAll(() => selectEngine('cpu'));

describe('markers of several tokens', () => {
  // after the whole end marker comes 9; its first token comes after 8
  const after = new Map([
    [close, seven],
    [seven, eight],
    [eight, shut],
    [nine, eos],
  ]);
  const answer = (
    mode: ReasoningMode,
    next: ReadonlyMap<number, number>,
    end: readonly number[] = tokenizer.special.end,
  ) => {
    const parameters = followers(next);
    const [answered] = answerQuestions(
      {
        config,
        parameters,
        tokenizer: { ...tokenizer, special: { ...tokenizer.special, end } },
        mode,
        prompt: { template: 'none', instruction: '', prefix: '', suffix: '' },
        mixture: { support: 2, temperature: 0.1, excluded: [shut] },
        maxLatents: 5,
        maxTokens: 12,
        batch: 1,
        grading: 'exact',
      },
      [{ question: '?', steps: ['7 8'], answer: '9' }],
    );
    disposeParameters(parameters);
    return answered!;
  };

  it('surround the chain in what is trained on', () => {
    const record = { question: '?', steps: ['7 8'], answer: '9' };
    expect(tokenizeRecord(record, tokenizer, { by: 'step' })).toEqual({
      prompt: [question],
      think: [open, think, close],
      segments: [[seven, eight]],
      end: [shut, think, shut],
      answer: [nine, eos],
    });
  });

  it('are fed whole once the first token of the end marker is most probable, after the latents', () => {
    const { answer: text, correct, generation } = answer('latent', new Map([...after, [shut, nine]]));
    expect([text, correct]).toEqual(['9', true]);
    expect(generation).toMatchObject({ latentCount: 2, latentStop: 'model', tokens: [nine] });
  });

  it('are fed whole before a direct answer', () => {
    expect(answer('direct', new Map([...after, [shut, nine]]))).toMatchObject({
      answer: '9',
      chainTokens: 0,
    });
  });

  it('part a written chain from its answer', () => {
    const next = new Map([...after, [shut, think], [think, open], [open, nine]]);
    const answered = answer('chain', next, [shut, think, open]);
    expect(answered).toMatchObject({ answer: '9', correct: true, chainTokens: 2, answerTokens: 1 });
    expect(answered.generation.tokens).toEqual([seven, eight, shut, think, open, nine]);
  });

  it('that come in part do not end a written chain', () => {
    // </ think 7 8 </ think … : the third token never comes
    const next = new Map([...after, [shut, think], [think, seven]]);
    expect(answer('chain', next)).toMatchObject({ answer: '', correct: false, chainTokens: 12 });
  });
});
