export { philox, type Words } from './philox.js';
export { type RandomDraws, randomDraws } from './random-draws.js';
export { type RandomStream, randomStream, streamKey } from './random-stream.js';
