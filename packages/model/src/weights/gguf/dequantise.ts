import type { GgufTensorType } from '@latent-sft/model-files';
import { bfloat16ToFloat32, float16ToFloat32 } from '../half-precision.js';
import {
  dequantiseQ4_0,
  dequantiseQ4_1,
  dequantiseQ5_0,
  dequantiseQ5_1,
  dequantiseQ8_0,
} from './small-blocks.js';
import { dequantiseQ4_K, dequantiseQ5_K, dequantiseQ6_K } from './super-blocks.js';

type Blocks = (bytes: Uint8Array, values: Float32Array) => void;

const BLOCKS: Readonly<Partial<Record<GgufTensorType, Blocks>>> = {
  Q4_0: dequantiseQ4_0,
  Q4_1: dequantiseQ4_1,
  Q5_0: dequantiseQ5_0,
  Q5_1: dequantiseQ5_1,
  Q8_0: dequantiseQ8_0,
  Q4_K: dequantiseQ4_K,
  Q5_K: dequantiseQ5_K,
  Q6_K: dequantiseQ6_K,
};

/**
 * The float32 values of a GGUF tensor's bytes, as ggml's reference gives them, to the bit.
 * @param bytes As many as `tensorSizeBytes` says, at the start of their buffer.
 * @param valueCount Number of values; whole blocks.
 */
export function dequantise(
  type: GgufTensorType,
  bytes: Uint8Array<ArrayBuffer>,
  valueCount: number,
): Float32Array {
  if (type === 'F32') return new Float32Array(bytes.buffer, 0, valueCount);
  if (type === 'F16') return float16ToFloat32(new Uint16Array(bytes.buffer, 0, valueCount));
  if (type === 'BF16') return bfloat16ToFloat32(new Uint16Array(bytes.buffer, 0, valueCount));
  const values = new Float32Array(valueCount);
  BLOCKS[type]!(bytes, values);
  return values;
}
