import { initialWeights, parametersFrom } from '@latent-sft/model';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { answererOf } from '../../src/evaluation/answerer.js';
import { answerQuestions, chainStage, type RecipeInput } from '../../src/index.js';
import { tokenizeWithin } from '../../src/pipeline/tokenize-within.js';
import {
  contextOf,
  descend,
  END,
  labelsOf,
  stageOneWork,
  studentWork,
  tokenizer,
  weightsOf,
} from './fixture.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');
const tensors = countTensors();
afterAll(() => expect(countTensors()).toBe(tensors));

type Changes = Partial<RecipeInput>;
const inParts = (microBatch: number): Changes => ({
  stages: { cot: { microBatch }, union: { microBatch }, student: { microBatch } },
});

/** Every stage that trains, two steps each. */
const stages = {
  cot: (changes: Changes) => {
    const context = contextOf(changes);
    return descend(chainStage(context, 'cot', weightsOf(context).decoder), 2);
  },
  union: (changes: Changes) => descend(stageOneWork(contextOf(changes)), 2),
  student: (changes: Changes) => descend(studentWork(contextOf(changes), labelsOf(contextOf())), 2),
};

describe.each(Object.entries(stages))('%s', (_stage, train) => {
  const whole = train({});

  it('microBatch: the same weights to rounding, in parts of 1 and of 3', () => {
    for (const size of [1, 3]) {
      const parts = train(inParts(size));
      expect(parts.reports[0]!.loss).toBeCloseTo(whole.reports[0]!.loss, 5);
      expect(parts.reports[0]!.gradientNorm).toBeCloseTo(whole.reports[0]!.gradientNorm, 4);
    }
  });

  it('checkpointing: the same weights to the bit', () => {
    expect(train({ checkpointing: true })).toEqual(whole);
  });
});

describe('lengths: what happens to examples that are too long', () => {
  const { validationRecords: records } = contextOf();
  const within = (tooLong: 'drop' | 'cut' | 'error', maxTokens: number) =>
    tokenizeWithin(contextOf({ lengths: { maxTokens, tooLong } }).recipe, tokenizer, records, 'training');
  const tokensOf = (example: (typeof whole)[number]) =>
    example.prompt.length +
    example.think.length +
    example.segments.flat().length +
    example.end.length +
    example.answer.length;
  const whole = within('error', 4096).examples;
  const longest = Math.max(...whole.map(tokensOf));

  it('error: none may be', () => {
    expect(within('error', longest).warning).toBeNull();
    expect(() => within('error', longest - 1)).toThrow(`${longest - 1}`);
  });

  it('drop: they are left out, with their records, and counted', () => {
    const { examples, records: kept, tooLong, warning } = within('drop', longest - 1);
    const fitting = whole.filter((example) => tokensOf(example) < longest);
    expect(examples).toEqual(fitting);
    expect(kept).toHaveLength(fitting.length);
    expect(tooLong).toEqual({ dropped: whole.length - fitting.length, cut: 0 });
    expect(warning).toContain(`dropped of ${whole.length} training rows`);
  });

  it('cut: they lose segments at the end of the chain, and are counted', () => {
    const { examples, tooLong } = within('cut', longest - 1);
    expect(examples).toHaveLength(whole.length);
    expect(tooLong.cut).toBe(whole.filter((example) => tokensOf(example) === longest).length);
    expect(Math.max(...examples.map(tokensOf))).toBeLessThan(longest);
    expect(examples.map(({ answer }) => answer)).toEqual(whole.map(({ answer }) => answer));
  });
});

describe('the latent phase of an answer', () => {
  const context = contextOf({ latent: { maxLatents: 3 }, model: { tiedEmbeddings: false } });

  /** Answers of a model whose most probable token is always the same. */
  function answering(token: number) {
    const { width } = context.config;
    const weights = initialWeights(context.config, 1, { deviation: 1e-6 });
    // every state points one way, and one token lies there
    const table = weights.get('model.embed_tokens.weight')!.data;
    for (let row = 0; row < table.length; row += width) table[row] = 1;
    weights.get('lm_head.weight')!.data[token * width] = 10;
    const parameters = parametersFrom(weights);
    const [answered] = answerQuestions(
      answererOf(context, parameters, 'latent'),
      context.validationRecords.slice(0, 1),
    );
    tf.dispose([...parameters.values()]);
    return answered!.generation;
  }

  it('may be of no latent at all, where the end marker comes first', () => {
    expect(answering(END)).toMatchObject({ latentCount: 0, latentStop: 'model' });
  });

  it('ends after latent.maxLatents where it does not come', () => {
    expect(answering(END + 3)).toMatchObject({ latentCount: 3, latentStop: 'limit' });
  });
});
