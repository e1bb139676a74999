export { type ExampleTokens, sizesOf, tokenIds } from './example-tokens.js';
export { fixedRateSizes, segmentByRate } from './fixed-rate.js';
export { labels } from './labels.js';
export {
  chainLayout,
  decoderLayout,
  encoderLayout,
  type Layout,
  type LayoutKind,
  type LayoutSizes,
  type Role,
  type Span,
  studentLayout,
  type Tails,
} from './layout.js';
export { positions } from './positions.js';
export { roles } from './roles.js';
export { segmentText, type TextUnit } from './segment-text.js';
export { storageOrder } from './storage-order.js';
export {
  type SupervisionOptions,
  type SupervisionReading,
  supervisionWeights,
} from './supervision-weights.js';
