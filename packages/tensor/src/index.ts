export { checkpointed } from './checkpoint.js';
export { valueAndGradients } from './gradients.js';
export type {
  BackwardContext,
  Kernel,
  KernelAttributes,
  KernelImplementation,
  NamedTensors,
} from './kernel.js';
export { defineKernel, kernelNames, overrideKernel, registerKernels, runKernel } from './kernel.js';
export {
  type AdamWSettings,
  type AdamWState,
  type AdamWVariables,
  adamW,
  adamWList,
} from './kernels/adam-w.js';
export { type AdapterDropout, adaptedLinear } from './kernels/adapted-linear.js';
export type { AdaptedMap } from './kernels/adapted-map.js';
export {
  type AttentionMask,
  attention,
  attentionMask,
  attentionWalksRanges,
  RANGES_PER_QUERY,
} from './kernels/attention.js';
export { type AttentionBlock, attentionBlock, attentionBlockWithKeys } from './kernels/attention-block.js';
export { crossEntropy } from './kernels/cross-entropy.js';
export { decoderStep, fusesDecoderStep, type StepLayer, type StepLayers } from './kernels/decoder-step.js';
export { type DropoutDraw, dropout } from './kernels/dropout.js';
export { embedding } from './kernels/embedding.js';
export { type FeedForwardBlock, feedForwardBlock } from './kernels/feed-forward-block.js';
export { gelu } from './kernels/gelu.js';
export { headCrossEntropy, headSparseKl } from './kernels/head-loss.js';
export {
  appendToCache,
  cacheCapacity,
  cacheOfPrompts,
  type KeyValueCache,
} from './kernels/key-value-cache.js';
export { layerNorm } from './kernels/layer-norm.js';
export { mixture } from './kernels/mixture.js';
export {
  type PackedMap,
  packedProduct,
  packsWeights,
  packWeights,
  type WeightFormat,
} from './kernels/packed-weights.js';
export { type ReadQueries, readQueries } from './kernels/read-queries.js';
export { rmsNorm } from './kernels/rms-norm.js';
export { type RotaryStretch, type RotaryTable, rotary, rotaryTable } from './kernels/rotary.js';
export { rowProducts } from './kernels/row-products.js';
export { gatherRows, type RowSelection, scatterRows, selectRows } from './kernels/rows.js';
export { fullKl, sparseKl } from './kernels/soft-label-kl.js';
export { swiglu } from './kernels/swiglu.js';
export { headTopWords, type TopWords, topWords } from './kernels/top-words.js';
export { weightedSum } from './kernels/weighted-sum.js';
export { countTensors, withoutLeaks } from './ownership.js';
