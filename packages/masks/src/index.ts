export { denseFromRanges, denseMask } from './dense.js';
export { drawSvg } from './draw-svg.js';
export { drawText } from './draw-text.js';
export { keyRanges, RANGES_PER_QUERY } from './key-ranges.js';
export type { MaskName, MaskOptions } from './mask.js';
export { maskRule } from './rule.js';
export { shiftRanges } from './shift-ranges.js';
