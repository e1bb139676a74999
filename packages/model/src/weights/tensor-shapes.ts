import { ATTENTION_MAPS, FEED_FORWARD_MAPS, traitsOf } from '../architecture.js';
import type { ModelConfig } from '../config.js';
import type { NamedArray } from './named-array.js';

/**
 * The tensors of a model, linear maps as `[out, in]`. Every architecture goes by the names that Hugging Face gives
 * llama's, with `model.position_embeddings.weight` for learned positions. Tied embeddings have no `lm_head.weight`.
 */
export function tensorShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { vocabularySize, width, headWidth } = config;
  const traits = traitsOf(config.architecture);
  const shapes = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabularySize, width]]]);
  if (traits.positions === 'learned') {
    shapes.set('model.position_embeddings.weight', [config.maxPositions, width]);
  }
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [width]);
    if (traits.norm === 'layer') shapes.set(`${name}.bias`, [width]);
  };
  const biased = biasedMaps(config);
  const map = (part: string, name: string, output: number, input: number) => {
    shapes.set(`${part}.${name}.weight`, [output, input]);
    if (biased.has(name)) shapes.set(`${part}.${name}.bias`, [output]);
  };
  const queryWidth = config.heads * headWidth;
  const keyValueWidth = config.keyValueHeads * headWidth;
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    norm(`${prefix}.input_layernorm`);
    map(`${prefix}.self_attn`, 'q_proj', queryWidth, width);
    map(`${prefix}.self_attn`, 'k_proj', keyValueWidth, width);
    map(`${prefix}.self_attn`, 'v_proj', keyValueWidth, width);
    map(`${prefix}.self_attn`, 'o_proj', width, queryWidth);
    if (traits.queryKeyNorm) {
      shapes.set(`${prefix}.self_attn.q_norm.weight`, [headWidth]);
      shapes.set(`${prefix}.self_attn.k_norm.weight`, [headWidth]);
    }
    norm(`${prefix}.post_attention_layernorm`);
    if (traits.feedForward === 'swiglu') map(`${prefix}.mlp`, 'gate_proj', config.feedForwardWidth, width);
    map(`${prefix}.mlp`, 'up_proj', config.feedForwardWidth, width);
    map(`${prefix}.mlp`, 'down_proj', width, config.feedForwardWidth);
  }
  norm('model.norm');
  if (!config.tiedEmbeddings) shapes.set('lm_head.weight', [vocabularySize, width]);
  return shapes;
}

function biasedMaps(config: ModelConfig): ReadonlySet<string> {
  return new Set([
    ...traitsOf(config.architecture).biasedMaps,
    ...(config.attentionBias ? ATTENTION_MAPS : []),
    ...(config.feedForwardBias ? FEED_FORWARD_MAPS : []),
  ]);
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
  return checkTensors(`a ${config.architecture} model`, tensorShapes(config), weights, origin);
}

/**
 * Checks tensors against the shapes that they must have, and drops copies of what is computed.
 * @param owner What the tensors are of, for messages.
 * @param origin Where they come from, for messages.
 * @throws If a tensor is missing, has another shape, or is none of them.
 */
export function checkTensors(
  owner: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  tensors: ReadonlyMap<string, NamedArray>,
  origin: string,
): Map<string, NamedArray> {
  const checked = new Map<string, NamedArray>();
  for (const [name, shape] of shapes) {
    const array = tensors.get(name);
    const expected = `checkWeights: expected tensor "${name}" [${shape.join(', ')}] in ${origin}`;
    if (!array) throw new Error(`${expected}, got none of that name`);
    if (array.shape.join() !== shape.join()) throw new Error(`${expected}, got [${array.shape.join(', ')}]`);
    checked.set(name, array);
  }
  for (const name of tensors.keys()) {
    const isCopy = name.endsWith('.rotary_emb.inv_freq') || name === 'lm_head.weight';
    if (!shapes.has(name) && !isCopy) {
      throw new Error(`checkWeights: expected only the tensors of ${owner} in ${origin}, got also "${name}"`);
    }
  }
  return checked;
}
