export { modelCacheFolder } from './cache-folder.js';
export { type GgufHeader, type GgufTensorInfo, readGgufHeader } from './gguf/read-header.js';
export { type GgufTensorType, tensorSizeBytes } from './gguf/tensor-types.js';
export { type ResolveOptions, resolveModel } from './resolve-model.js';
