import { chainLayout, decoderLayout, encoderLayout, storageOrder } from '@latent-sft/segmentation';
import { expect, it } from 'vitest';
import { denseFromRanges, keyRanges, maskRule, shiftRanges } from '../src/index.js';

const sizes = { prompt: 2, think: 1, segments: [2], end: 1, answer: 1 };

it.each([
  [
    () => maskRule(decoderLayout(sizes), 'ltim'),
    'maskRule: expected a layout of kind encoder for ltim, got decoder',
  ],
  [
    () => keyRanges(encoderLayout(sizes), 'ltsum'),
    'keyRanges: expected a layout of kind decoder for ltsum, got encoder',
  ],
  [
    () => keyRanges(chainLayout(sizes), 'ltsum'),
    'keyRanges: expected a layout of kind decoder for ltsum, got chain',
  ],
  [
    () => denseFromRanges(new Int32Array(6), storageOrder(chainLayout(sizes))),
    'denseFromRanges: expected ranges of 7 x 3 x 2 numbers, got 6',
  ],
  [() => shiftRanges(new Int32Array(6), -1), 'shiftRanges: expected by to be a whole number, got -1'],
])('%s', (call, message) => {
  expect(call).toThrow(message);
});
