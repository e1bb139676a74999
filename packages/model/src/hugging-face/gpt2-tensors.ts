import type { ModelConfig } from '../config.js';
import type { NamedArray } from '../weights/named-array.js';

/** A tensor of a GPT-2 file and the tensors here that it holds. */
interface Gpt2Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** One, or the three of `c_attn`, side by side along its last axis. */
  readonly holds: readonly string[];
}

const PREFIX = 'transformer.';

/**
 * The tensors of GPT2LMHeadModel. Its maps are `Conv1D` layers, [in, out] where ours are [out, in]; `c_attn` is query,
 * key and value in one.
 */
export function gpt2Tensors(config: ModelConfig): Gpt2Tensor[] {
  const { width, feedForwardWidth, vocabularySize, maxPositions } = config;
  const tensors: Gpt2Tensor[] = [];
  const one = (name: string, shape: readonly number[], own: string) =>
    tensors.push({ name, shape, holds: [own] });
  const norm = (name: string, own: string) => {
    one(`${name}.weight`, [width], `${own}.weight`);
    one(`${name}.bias`, [width], `${own}.bias`);
  };
  const map = (name: string, shape: readonly [number, number], own: readonly string[]) => {
    tensors.push({ name: `${name}.weight`, shape, holds: own.map((map) => `${map}.weight`) });
    tensors.push({ name: `${name}.bias`, shape: [shape[1]], holds: own.map((map) => `${map}.bias`) });
  };
  one(`${PREFIX}wte.weight`, [vocabularySize, width], 'model.embed_tokens.weight');
  one(`${PREFIX}wpe.weight`, [maxPositions, width], 'model.position_embeddings.weight');
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `${PREFIX}h.${layer}`;
    const own = `model.layers.${layer}`;
    norm(`${block}.ln_1`, `${own}.input_layernorm`);
    const parts = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${own}.self_attn.${name}`);
    map(`${block}.attn.c_attn`, [width, 3 * width], parts);
    map(`${block}.attn.c_proj`, [width, width], [`${own}.self_attn.o_proj`]);
    norm(`${block}.ln_2`, `${own}.post_attention_layernorm`);
    map(`${block}.mlp.c_fc`, [width, feedForwardWidth], [`${own}.mlp.up_proj`]);
    map(`${block}.mlp.c_proj`, [feedForwardWidth, width], [`${own}.mlp.down_proj`]);
  }
  norm(`${PREFIX}ln_f`, 'model.norm');
  if (!config.tiedEmbeddings) one('lm_head.weight', [vocabularySize, width], 'lm_head.weight');
  return tensors;
}

/** GPT2LMHeadModel's name of a tensor, for files of the bare GPT2Model too. */
export function gpt2Name(name: string): string {
  return /^(wte|wpe|ln_f|h\.\d+)\./.test(name) ? `${PREFIX}${name}` : name;
}

/** Whether a tensor is the causal mask that older files carry along. */
export function isGpt2Mask(name: string): boolean {
  return /^transformer\.h\.\d+\.attn\.(masked_)?bias$/.test(name);
}

/** A file's tensors under our names, [out, in]; they must be those of `gpt2Tensors`. */
export function fromGpt2(
  config: ModelConfig,
  tensors: ReadonlyMap<string, NamedArray>,
): Map<string, NamedArray> {
  const weights = new Map<string, NamedArray>();
  for (const { name, holds } of gpt2Tensors(config)) {
    const array = tensors.get(name)!;
    const turned = isConvolution(name) ? transposed(array) : array;
    const size = turned.data.length / holds.length;
    const shape = [turned.shape[0]! / holds.length, ...turned.shape.slice(1)];
    holds.forEach((own, part) => {
      const data = holds.length === 1 ? turned.data : turned.data.slice(part * size, (part + 1) * size);
      weights.set(own, { shape, data });
    });
  }
  return weights;
}

/** Our tensors as GPT2LMHeadModel has them. */
export function toGpt2(
  config: ModelConfig,
  weights: ReadonlyMap<string, NamedArray>,
): Map<string, NamedArray> {
  const tensors = new Map<string, NamedArray>();
  for (const { name, shape, holds } of gpt2Tensors(config)) {
    const parts = holds.map((own) => weights.get(own)!);
    const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
    let offset = 0;
    for (const part of parts) {
      data.set(part.data, offset);
      offset += part.data.length;
    }
    if (isConvolution(name)) tensors.set(name, transposed({ shape: [shape[1]!, shape[0]!], data }));
    else tensors.set(name, { shape, data });
  }
  return tensors;
}

function isConvolution(name: string): boolean {
  return /\.c_(attn|proj|fc)\.weight$/.test(name);
}

function transposed({ shape, data }: NamedArray): NamedArray {
  const [rows, columns] = shape as [number, number];
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = data[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], data: turned };
}
