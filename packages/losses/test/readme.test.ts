import { readFileSync } from 'node:fs';
import { decoderLayout } from '@latent-sft/segmentation';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { latentKl, lossTermAt, supervisionWeights, weightedNll } from '../src/index.js';

it('the example in the README runs', async () => {
  await tf.setBackend('cpu');
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n(?:import [^\n]*\n)+([\s\S]*?)```/.exec(readme)![1]!;
  const imports = { tf, decoderLayout, latentKl, lossTermAt, supervisionWeights, weightedNll };
  const run = new Function(...Object.keys(imports), `${example}; return { restored, imitated, term };`);
  tf.tidy(() => {
    const { restored, imitated, term } = run(...Object.values(imports));
    expect(restored.dataSync()[0]).toBeCloseTo(Math.log(10), 5);
    const entropy = -(0.7 * Math.log(0.7) + 0.3 * Math.log(0.3));
    expect(imitated.dataSync()[0]).toBeCloseTo(Math.log(10) - entropy, 5);
    expect(term).toBe('ce');
  });
});
