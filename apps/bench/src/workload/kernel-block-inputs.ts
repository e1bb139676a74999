import { causalRanges } from '@latent-sft/model';
import type { PutInput } from './kernel-inputs.js';
import type { KernelSize } from './kernel-sizes.js';

/** Layers of the decoding step. */
export const STEP_LAYERS = 2;

/** Inputs of the kernels that are made of others: halves of a layer, and decoding steps. */
export function blockInputs(put: PutInput, size: KernelSize): void {
  const { rows, keys, rank, decodedRows, width, feedForwardWidth } = size;
  const { heads, keyValueHeads, headWidth } = size;
  const [wide, narrow] = [heads * headWidth, keyValueHeads * headWidth];
  const map = (name: string, output: number, input: number) => {
    put(name, [output, input], 'small');
    if (rank === 0) return;
    put(`${name}Lower`, [rank, input], 'small');
    put(`${name}Raise`, [output, rank], 'small');
  };
  const batch = Math.max(1, Math.floor(rows / keys));
  put('attention-block/x', [batch * keys, width], 'normal');
  put('attention-block/norm', [width], 'normal');
  map('attention-block/query', wide, width);
  map('attention-block/key', narrow, width);
  map('attention-block/value', narrow, width);
  map('attention-block/output', width, wide);
  put('attention-block/head', [headWidth], 'normal');
  put('attention-block/dy', [batch * keys, width], 'normal');
  const ranges = causalRanges(Array(batch).fill(keys), keys);
  put('attention-block/ranges', [batch, keys, 6], () => Float32Array.from(ranges));

  put('feed-forward-block/x', [rows, width], 'normal');
  put('feed-forward-block/norm', [width], 'normal');
  map('feed-forward-block/gate', feedForwardWidth, width);
  map('feed-forward-block/up', feedForwardWidth, width);
  map('feed-forward-block/down', width, feedForwardWidth);
  put('feed-forward-block/dy', [rows, width], 'normal');

  for (const format of ['float32', 'bfloat16', 'int8']) {
    put(`packed-product-${format}/x`, [decodedRows, width], 'normal');
    put(`packed-product-${format}/weight`, [feedForwardWidth, width], 'small');
  }

  put('decoder-step/x', [decodedRows, width], 'normal');
  const maps = [
    ...[wide, narrow, narrow].map((output) => [output, width] as const),
    [width, wide] as const,
    ...[feedForwardWidth, feedForwardWidth].map((output) => [output, width] as const),
    [width, feedForwardWidth] as const,
  ];
  for (let layer = 0; layer < STEP_LAYERS; layer++) {
    maps.forEach((shape, i) => {
      put(`decoder-step/map${layer * maps.length + i}`, shape, 'small');
    });
    for (const name of ['key', 'value']) {
      put(`decoder-step/${name}${layer}`, [decodedRows, keys, keyValueHeads, headWidth], 'normal');
    }
  }
  for (let norm = 0; norm <= 2 * STEP_LAYERS; norm++) put(`decoder-step/norm${norm}`, [width], 'normal');
}
