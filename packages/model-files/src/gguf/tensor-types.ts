/** GGUF's tensor types that can be read here: values per block, and bytes per block. */
const BLOCKS = {
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
} as const;

/** Name of a tensor type, as in ggml's `ggml_type`. */
export type GgufTensorType = keyof typeof BLOCKS;

/** Names of all tensor types that can be read. */
export const GGUF_TENSOR_TYPES = Object.keys(BLOCKS) as GgufTensorType[];

/** How many values of a row share a block; rows are whole blocks. */
export function valuesPerBlock(type: GgufTensorType): number {
  return BLOCKS[type][0];
}

/** Bytes of a tensor of that many values. */
export function tensorSizeBytes(type: GgufTensorType, valueCount: number): number {
  const [values, bytes] = BLOCKS[type];
  return (valueCount / values) * bytes;
}
