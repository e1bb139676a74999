import { randomStream } from '@latent-sft/random';
import { attention, attentionMask } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
const random = randomStream(1, 'example'); // the same numbers for the same seed and label
const rows = tf.tensor4d(random.normal(24), [1, 3, 2, 4]); // [B, T, H, d]
// up to three key ranges a query: row 0 sees itself, row 1 sees 0 and 1, row 2 sees 0 and itself
const ranges = [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0];
const mask = attentionMask(Int32Array.from(ranges), { batch: 1, queries: 3, keys: 3 });
const mixed = attention(rows, rows, rows, mask); // [B, T, H, d]
const gradient = tf.grad((query) => attention(query as tf.Tensor4D, rows, rows, mask))(rows);
console.log(mixed.shape, gradient.shape);
