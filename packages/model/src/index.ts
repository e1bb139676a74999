// Adapters
export { ADAPTER_FILES, loadAdapterFolder, saveAdapterFolder } from './adapters/adapter-folder.js';
export {
  initialLora,
  LORA_TARGETS,
  type LoraSettings,
  type LoraTarget,
  loraScale,
  withAdapter,
} from './adapters/lora.js';
export { mergeLora } from './adapters/merge-lora.js';
export type { Architecture } from './architecture.js';
export { checkModelConfig, type ModelConfig } from './config.js';
// Costs
export { type DecodeCounts, decodeFlops } from './costs/decode-flops.js';
export { type MixtureCounts, mixtureFlops } from './costs/mixture-flops.js';
export { type LoraShape, type PassCounts, type PassFlops, passFlops } from './costs/pass-flops.js';
export { peakRssBytes } from './costs/peak-memory.js';
export { visiblePairs } from './costs/visible-pairs.js';
export { causalRanges, continuationRanges } from './forward/causal-ranges.js';
export { type DecoderPass, decoderStates, readStates } from './forward/decoder-states.js';
export { type LayerCache, layerCaches } from './forward/layer-cache.js';
export { type PositionTable, positionTable } from './forward/positions.js';
export { checkIds, scoreTokens } from './forward/score.js';
export { type DecoderWeights, decoderWeights } from './generation/decoder-weights.js';
export {
  type Generation,
  type GenerationRequest,
  type GenerationSettings,
  generate,
} from './generation/generate.js';
export type { LatentTrace } from './generation/latent-trace.js';
export {
  type LatentStop,
  type ReasoningMode,
  RowProgress,
  type StopSettings,
} from './generation/row-progress.js';
export { argmax, type Sampling, sampleToken } from './generation/sampling.js';
export { parseModelConfig } from './hugging-face/read-config.js';
export { huggingFaceModelConfig, type SpecialTokenIds } from './hugging-face/write-config.js';
export {
  disposeParameters,
  type InitialSpread,
  initialWeights,
  inputTable,
  outputTable,
  type Parameters,
  parameter,
  parametersFrom,
  weightsOf,
} from './parameters/parameters.js';
export { syncFolder, writeAll, writeError, writeFileAtomically } from './weights/atomic-file.js';
export { readGguf } from './weights/gguf/read-gguf.js';
export {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './weights/half-precision.js';
export { halfSplitRows, readLlama2c } from './weights/llama2c.js';
export { loadModel } from './weights/load-model.js';
export { loadModelFolder, saveModelFolder } from './weights/model-folder.js';
export type { NamedArray } from './weights/named-array.js';
export { readAt } from './weights/read-at.js';
export { readSafetensors, type StoredType, writeSafetensors } from './weights/safetensors.js';
export { readShardedSafetensors } from './weights/safetensors-shards.js';
export { checkWeights, tensorShapes } from './weights/tensor-shapes.js';
