// Resident memory over 2,000 union steps of the demo, and whether it grows: `npm run memory` here.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { shapeOf } from '../src/shapes/shape.js';
import { openTraining } from '../src/worker/training-work.js';
import { makeWork } from '../src/workload/make-work.js';

const [STEPS, EVERY] = [2000, 200];

const cache = mkdtempSync(join(tmpdir(), 'resident-'));
try {
  const engine = await selectEngine('auto');
  const decoding = { batch: 1, latents: 1, tokens: 2 };
  const folder = await makeWork({ shape: shapeOf('demo'), weights: 'random', seed: 1, decoding, cache });
  const work = openTraining(folder, 'union');
  console.log(`${engine.backend}, kernels ${engine.fused ?? 'composed'}, ${engine.threads} threads`);
  const points: [step: number, megabytes: number, tensors: number][] = [];
  for (let step = 0; step < STEPS; ) {
    step += work.check('union').length;
    // a turn of the loop, as a trainer takes one, lets finalisers run
    await new Promise((resolve) => setImmediate(resolve));
    if (step < EVERY * (points.length + 1)) continue;
    points.push([step, process.memoryUsage.rss() / 1e6, tf.memory().numTensors]);
    console.log(`step ${step}: ${points.at(-1)![1].toFixed(1)} MB, ${points.at(-1)![2]} tensors`);
  }
  console.log(`slope ${(1000 * slope(points)).toFixed(2)} MB in 1,000 steps, all points`);
  console.log(`slope ${(1000 * slope(points.slice(1))).toFixed(2)} MB in 1,000 steps, without the first`);
} finally {
  rmSync(cache, { recursive: true });
}

/** Least squares, megabytes a step. */
function slope(points: readonly (readonly [number, number, number])[]): number {
  const mean = (of: (point: readonly [number, number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [step, size] = [mean(([x]) => x), mean(([, y]) => y)];
  return mean(([x, y]) => (x - step) * (y - size)) / mean(([x]) => (x - step) ** 2);
}
