export { cacheFolder } from './cache-folder.js';
export { type Diagnosis, diagnose, type Problem } from './diagnose.js';
export { type EngineStatus, engineStatus, installedEngine } from './engine-folder.js';
export type { Precision } from './load-tensorflow.js';
export { type GemmSpeed, measureGemm, squareProductGflops } from './measure-gemm.js';
export { buildAddon, type NativeAddon } from './native-addon.js';
export type { Program } from './programs.js';
export {
  type Backend,
  type EngineReport,
  type Fallback,
  type SelectOptions,
  selectEngine,
} from './select-engine.js';
export { type SetUpOptions, setUpEngine } from './set-up-engine.js';
export { type EngineRecipe, type Flavour, RECIPES, type WheelPin } from './wheels.js';
