import type { Shape } from '../shapes/shape.js';
import { KERNEL_SIZES } from '../work/kernel-inputs.js';
import { KERNEL_CASES } from '../worker/kernel-cases.js';
import type { CaseGroup } from './suite.js';

/** Sums of float32 in another order, squared. */
const TOLERANCE = 1e-4;

/** Every kernel by itself, forward and backward: fused, composed of TensorFlow's operations, and PyTorch's. */
export function kernelSuite(shape: Shape, file: string): CaseGroup[] {
  const { rows, vocabularyRows, keys, parameters } = KERNEL_SIZES[shape.name];
  const sizeOf = (name: string) => {
    if (name.startsWith('attention')) return `about ${keys} keys`;
    if (name === 'adam-w') return `${parameters} weights`;
    if (/entropy|kl|mixture/.test(name)) return `${vocabularyRows} rows`;
    return `${rows} rows`;
  };
  const cases = Object.keys(KERNEL_CASES).map((name) => ({
    name,
    title: `${name}, ${sizeOf(name)}`,
    examples: 0,
    tokens: 0,
    tolerance: TOLERANCE,
    flops: null,
  }));
  return [
    {
      suite: 'kernels',
      shape: shape.name,
      peers: ['latent-sft', 'composition', 'torch'],
      params: { work: 'kernels', folder: file },
      needs: 'torch',
      cases,
    },
  ];
}
