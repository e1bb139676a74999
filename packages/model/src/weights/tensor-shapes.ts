import type { ModelConfig } from '../config.js';
import type { NamedArray } from './named-array.js';

/**
 * The tensors of a llama model by Hugging Face's names, linear maps as `[out, in]`.
 * Tied embeddings have no `lm_head.weight`.
 */
export function tensorShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { vocabularySize, width, feedForwardWidth } = config;
  const queryWidth = config.heads * config.headWidth;
  const keyValueWidth = config.keyValueHeads * config.headWidth;
  const shapes = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabularySize, width]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    shapes.set(`${prefix}.input_layernorm.weight`, [width]);
    shapes.set(`${prefix}.self_attn.q_proj.weight`, [queryWidth, width]);
    shapes.set(`${prefix}.self_attn.k_proj.weight`, [keyValueWidth, width]);
    shapes.set(`${prefix}.self_attn.v_proj.weight`, [keyValueWidth, width]);
    shapes.set(`${prefix}.self_attn.o_proj.weight`, [width, queryWidth]);
    shapes.set(`${prefix}.post_attention_layernorm.weight`, [width]);
    shapes.set(`${prefix}.mlp.gate_proj.weight`, [feedForwardWidth, width]);
    shapes.set(`${prefix}.mlp.up_proj.weight`, [feedForwardWidth, width]);
    shapes.set(`${prefix}.mlp.down_proj.weight`, [width, feedForwardWidth]);
  }
  shapes.set('model.norm.weight', [width]);
  if (!config.tiedEmbeddings) shapes.set('lm_head.weight', [vocabularySize, width]);
  return shapes;
}

/**
 * Checks that weights are those of a config, and drops the copies that a file may hold of what is
 * computed: RoPE's frequencies, and the head of tied embeddings.
 * @param origin For messages.
 * @throws If a tensor is missing, has another shape, or is one that the forward pass would not use.
 */
export function checkWeights(
  config: ModelConfig,
  weights: ReadonlyMap<string, NamedArray>,
  origin: string,
): Map<string, NamedArray> {
  const shapes = tensorShapes(config);
  const checked = new Map<string, NamedArray>();
  for (const [name, shape] of shapes) {
    const array = weights.get(name);
    const expected = `checkWeights: expected tensor "${name}" [${shape.join(', ')}] in ${origin}`;
    if (!array) throw new Error(`${expected}, got none of that name`);
    if (array.shape.join() !== shape.join()) throw new Error(`${expected}, got [${array.shape.join(', ')}]`);
    checked.set(name, array);
  }
  for (const name of weights.keys()) {
    const isCopy = name.endsWith('.rotary_emb.inv_freq') || name === 'lm_head.weight';
    if (!shapes.has(name) && !isCopy) {
      throw new Error(
        `checkWeights: expected only the tensors of a llama model in ${origin}, got also "${name}"`,
      );
    }
  }
  return checked;
}
