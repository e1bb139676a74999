import { generate, initialWeights, parametersFrom, parseModelConfig, scoreTokens } from '@latent-sft/model';
import * as tf from '@tensorflow/tfjs';

await tf.setBackend('cpu');
const sizes = { vocab_size: 20, hidden_size: 16, intermediate_size: 32, num_hidden_layers: 2 };
const config = parseModelConfig({ model_type: 'llama', num_attention_heads: 2, ...sizes }, 'the README');
const parameters = parametersFrom(initialWeights(config, 1, { deviation: 0.02 })); // or loadModelFolder(folder).weights
console.log(scoreTokens(config, parameters, [5, 6, 7]).length); //=> 2

const phases = { mode: 'latent', maxLatents: 4, end: [1], eos: 0, maxTokens: 3 } as const;
const [answer] = generate(config, parameters, [{ prompt: [5, 6, 7] }], {
  ...phases,
  mixture: { support: 'full', temperature: 1 },
  sampling: { kind: 'greedy' },
  traceSize: 2, // two words of each latent
});
console.log(answer!.latents.length, answer!.latents[0]!.ids.length); //=> 4 2
