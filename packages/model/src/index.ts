export { checkModelConfig, huggingFaceModelConfig, type ModelConfig, parseModelConfig } from './config.js';
export { syncFolder, writeAll, writeError, writeFileAtomically } from './weights/atomic-file.js';
export { bfloat16ToFloat32, float16ToFloat32, float32ToFloat16 } from './weights/half-precision.js';
export { halfSplitRows, readLlama2c } from './weights/llama2c.js';
export { loadModelFolder, saveModelFolder } from './weights/model-folder.js';
export type { NamedArray } from './weights/named-array.js';
export { readAt } from './weights/read-at.js';
export { readSafetensors, writeSafetensors } from './weights/safetensors.js';
export { checkWeights, tensorShapes } from './weights/tensor-shapes.js';
