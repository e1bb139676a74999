export { denseFromRanges, denseMask } from './dense.js';
export { keyRanges, RANGES_PER_QUERY } from './key-ranges.js';
export type { MaskName, MaskOptions } from './mask.js';
export { maskRule } from './rule.js';
export { shiftRanges } from './shift-ranges.js';
