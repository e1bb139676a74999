import { modularArithmetic, wordTokenizer } from '@latent-sft/data';
import { disposeParameters, initialWeights, type Parameters, parametersFrom } from '@latent-sft/model';
import { selectEngine } from '@latent-sft/tensorflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerFlops } from '../src/evaluation/answer-flops.js';
import {
  type Answered,
  type AnswerStage,
  answererOf,
  answerQuestions,
  evaluateAnswerer,
  freshModelConfig,
} from '../src/index.js';
import { countedProducts } from './counted-products.js';
import { tinyWith } from './tiny-recipe.js';

const task = modularArithmetic({ operations: 2 });
const tokenizer = wordTokenizer(task.vocabulary);
const records = task.generate(6, 3);
const recipe = tinyWith({});
if (recipe.model.source !== 'fresh') throw new Error('expected a fresh model');
const config = freshModelConfig(recipe.model, tokenizer.vocabulary.length);
let parameters: Parameters;
beforeAll(async () => {
  await selectEngine('cpu');
  parameters = parametersFrom(initialWeights(config, 1, { deviation: 0.1 }));
});
afterAll(() => disposeParameters(parameters));

/** An answerer for which a word ends the text. */
function answererWith(stage: AnswerStage, eos = tokenizer.special.eos) {
  const special = { ...tokenizer.special, eos };
  return answererOf({ recipe, config, tokenizer: { ...tokenizer, special } }, parameters, stage);
}

/** FLOPs of attention in an answer: `fed` tokens followed the question, the first `along` of them in the same pass. */
function attention({ promptTokens }: Answered, fed: number, along: number): number {
  const prompt = promptTokens + along;
  const later = fed - along;
  const known = (prompt * (prompt + 1)) / 2;
  const steps = later * prompt + (later * (later + 1)) / 2;
  // of the first pass, the last layer goes on with the last token alone
  const pairs = (known + steps) * (config.layers - 1) + prompt + steps;
  return 4 * pairs * config.heads * config.headWidth;
}

describe('answerFlops', () => {
  it.each(['no-cot', 'cot', 'latent'] as const)("are those of an answer's products: %s", async (stage) => {
    const first = records.slice(0, 1);
    const [unended] = answerQuestions(answererWith(stage), first);
    expect(unended!.generation.tokens).toHaveLength(recipe.evaluation.maxTokens);
    // a text that ends with the token that came third is fed its first two
    const eos = unended!.generation.tokens.find((id, i, all) => i > 0 && all.indexOf(id) === i)!;
    for (const answerer of [answererWith(stage), answererWith(stage, eos)]) {
      let answered: Answered[] = [];
      const products = await countedProducts(() => {
        answered = answerQuestions(answerer, first);
      });
      const { latentCount, tokens } = answered[0]!.generation;
      const ended = tokens.length < recipe.evaluation.maxTokens;
      const fed = latentCount + (stage === 'cot' ? 0 : 1) + (ended ? tokens.length : tokens.length - 1);
      expect(answerFlops(answerer, answered[0]!)).toBe(
        products + attention(answered[0]!, fed, stage === 'no-cot' ? 1 : 0),
      );
    }
  });

  it('come as a mean over questions, with the peak of memory', () => {
    const answerer = answererWith('latent');
    const { report, answered } = evaluateAnswerer(answerer, records);
    const sum = answered.reduce((total, one) => total + answerFlops(answerer, one), 0);
    expect(report.flopsPerQuestion).toBe(sum / records.length);
    if (process.platform === 'linux') expect(report.peakRssBytes).toBeGreaterThan(1e7);
  });

  it('are those of the products where latents were given, and with a marker of two tokens', async () => {
    const answerer = answererWith('latent');
    const { special } = tokenizer;
    const end = [...special.end, special.think[0]!];
    const marked = { ...answerer, tokenizer: { ...tokenizer, special: { ...special, end } } };
    const given = [new Float32Array(config.width).fill(0.1), new Float32Array(config.width).fill(0.2)];
    for (const [asked, givenLatents, marker] of [
      [answerer, [given], 1],
      [marked, [given], 2],
      [marked, undefined, 2],
    ] as const) {
      let answered: Answered[] = [];
      const products = await countedProducts(() => {
        answered = answerQuestions(asked, records.slice(0, 1), givenLatents ? { givenLatents } : {});
      });
      const { latentCount, tokens } = answered[0]!.generation;
      expect(tokens).toHaveLength(recipe.evaluation.maxTokens);
      const fed = latentCount + marker + tokens.length - 1;
      expect(answerFlops(asked, answered[0]!)).toBe(
        products + attention(answered[0]!, fed, givenLatents ? latentCount + marker : 0),
      );
    }
  });
});
