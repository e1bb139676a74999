import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { embedding, gatherRows, scatterRows, selectRows } from '../src/index.js';
import { testAdamW } from './adam-w.js';
import { testAttentionLayouts } from './attention-layouts.js';
import { testBlocks } from './blocks.js';
import { adaptedLinearCases } from './cases/adapted-linear.js';
import { attentionCases } from './cases/attention.js';
import { crossEntropyCases } from './cases/cross-entropy.js';
import { dropoutCases } from './cases/dropout.js';
import { embeddingCases } from './cases/embedding.js';
import { geluCases } from './cases/gelu.js';
import { headLossCases } from './cases/head-loss.js';
import { layerNormCases } from './cases/layer-norm.js';
import { mixtureCases } from './cases/mixture.js';
import { rmsNormCases } from './cases/rms-norm.js';
import { rotaryCases } from './cases/rotary.js';
import { rowProductsCases } from './cases/row-products.js';
import { rowCases } from './cases/rows.js';
import { softLabelCases } from './cases/soft-label-kl.js';
import { swigluCases } from './cases/swiglu.js';
import { weightedSumCases } from './cases/weighted-sum.js';
import { testDropout } from './dropout.js';
import { testGoldenLosses } from './golden-losses.js';
import { testHeadLoss } from './head-loss.js';
import { testCase } from './kernel-case.js';
import { testKeyValueCache } from './key-value-cache.js';
import { testTopWords } from './top-words.js';

const cases = [
  ...rmsNormCases,
  ...layerNormCases,
  ...rotaryCases,
  ...adaptedLinearCases,
  ...swigluCases,
  ...geluCases,
  ...dropoutCases,
  ...attentionCases,
  ...rowCases,
  ...embeddingCases,
  ...crossEntropyCases,
  ...softLabelCases,
  ...headLossCases,
  ...mixtureCases,
  ...rowProductsCases,
  ...weightedSumCases,
];

/**
 * Declares every numeric test of the kernels on one backend: forward and gradients against float64
 * references, ownership of tensors, golden numbers. A fused implementation must pass it unchanged.
 *
 * @param backend a tfjs backend that is registered and can be chosen
 */
export function kernelSuite(backend: string): void {
  describe(`kernels on ${backend}`, () => {
    beforeAll(async () => {
      expect(await tf.setBackend(backend)).toBe(true);
    });
    for (const kernelCase of cases) testCase(kernelCase);
    testAttentionLayouts();
    testBlocks();
    testGoldenLosses();
    testAdamW();
    testDropout();
    testHeadLoss(backend);
    testKeyValueCache();
    testTopWords();
    testEmptySelections();
  });
}

/** A batch may hold no row that is selected, and no latent. */
function testEmptySelections(): void {
  it('selections of no row: nothing gathered, nothing replaced, zero or whole gradients', () => {
    tf.tidy(() => {
      const selection = selectRows([], 3);
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
      const nothing = tf.zeros<tf.Rank.R2>([0, 2]);
      expect(gatherRows(x, selection).shape).toEqual([0, 2]);
      expect([...scatterRows(x, nothing, selection).dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
      const gathered = tf.grad((rows) => tf.sum(gatherRows(rows as tf.Tensor2D, selection)))(x);
      expect([...gathered.dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
      const kept = tf.grad((rows) => tf.sum(scatterRows(rows as tf.Tensor2D, nothing, selection)))(x);
      expect([...kept.dataSync()]).toEqual([1, 1, 1, 1, 1, 1]);
    });
  });

  it('gradients of sums over several uses of one input add up', () => {
    tf.tidy(() => {
      const table = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const ids = tf.tensor1d([0, 1, 1], 'int32');
      const twice = (x: tf.Tensor) =>
        tf.add(tf.sum(embedding(x as tf.Tensor2D, ids)), tf.sum(embedding(x as tf.Tensor2D, ids)));
      expect([...tf.grad(twice)(table).dataSync()]).toEqual([2, 2, 4, 4]);
    });
  });
}
