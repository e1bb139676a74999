import { vocabularyMixture } from '@latent-sft/soft-embedding';
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
const table = tf.tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0], [4, 3]); // E, four words
const state = tf.tensor2d([[2, 1, 0.5]]); // what a model says, after its final norm
const { alpha, ids, latents } = vocabularyMixture(state, table, table, { support: 2, temperature: 1 });
console.log(...ids!.dataSync()); //=> 3 0
console.log(...Array.from(alpha.dataSync(), (weight) => weight.toFixed(3))); //=> 0.731 0.269
console.log(...Array.from(latents.dataSync(), (z) => z.toFixed(3))); //=> 1.000 0.731 0.000
