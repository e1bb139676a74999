import type { Checkpoint } from '../../src/run/checkpoint.js';
import { sha256 } from '../../src/run/digest.js';
import type { LabelHeader } from '../../src/run/label-manifest.js';
import type { ExampleLabels } from '../../src/run/label-writer.js';

export const recipe = 'name: demo\ncompression: 2\nstudent:\n  steps: 400\n';

export const labelHeader: LabelHeader = {
  count: 999_999,
  segmentation: 2,
  k: 4,
  vocabularySize: 100,
  temperature: 1,
  readout: 'input-table',
  tokenizer: sha256('tokenizer'),
  checkpoint: sha256('checkpoint'),
  noise: 'none',
  precision: 'float16',
};

/** Labels that an example's number determines: 0 to 4 latents, halves exactly. */
export function labelsOf(example: number, { k, vocabularySize } = labelHeader): ExampleLabels {
  const values = (example % 5) * k;
  const alphas = Float32Array.from({ length: values }, (_, index) => ((example + index) % 17) / 16);
  if (k === vocabularySize) return { alphas };
  return {
    alphas,
    ids: Uint32Array.from({ length: values }, (_, index) => (example * 7 + index) % vocabularySize),
  };
}

/** A checkpoint that its step determines. */
export function checkpointOf(step: number, size = 20_000): Checkpoint {
  const data = Float32Array.from({ length: size }, (_, index) => step + index / 7);
  return {
    step,
    tensors: new Map([['w', { shape: [size], data }]]),
    state: { step, best: { lossNats: 1 / 3 } },
  };
}
