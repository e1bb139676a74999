/** Parts of a layer: GGUF's names after `blk.N.`, and ours after `model.layers.N.`. */
const LAYER_PARTS: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
  attn_qkv: 'self_attn.qkv_proj',
};

const MODEL_PARTS: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  position_embd: 'model.position_embeddings',
  output_norm: 'model.norm',
  output: 'lm_head',
};

/**
 * Our name of a GGUF tensor, or undefined if it has none.
 * GGUF's names: `gguf-py/gguf/constants.py` of llama.cpp. A fused map is `self_attn.qkv_proj`.
 */
export function nameOfGgufTensor(name: string): string | undefined {
  const layer = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name);
  if (layer) {
    const [, index, part, kind] = layer as unknown as [string, string, string, string];
    const own = Object.hasOwn(LAYER_PARTS, part) ? LAYER_PARTS[part] : undefined;
    return own && `model.layers.${Number(index)}.${own}.${kind}`;
  }
  const [, part, kind] = /^(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (part === undefined || !Object.hasOwn(MODEL_PARTS, part)) return undefined;
  return `${MODEL_PARTS[part]}.${kind}`;
}
