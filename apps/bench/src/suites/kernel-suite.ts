import type { Shape } from '../shapes/shape.js';
import { KERNEL_CASES } from '../worker/kernel-cases.js';
import { type KernelSize, kernelSizes } from '../workload/kernel-sizes.js';
import type { BenchCase, CaseGroup, PeerName } from './suite.js';

/** Sums of float32 in another order, squared. */
const TOLERANCE = 1e-4;
/** Weights that were rounded. */
const ROUNDED_TOLERANCE = 1e-2;

/** Kernels that are composed everywhere, as in layers the blocks do their work: beside their composition stands nothing. */
const COMPOSED: ReadonlySet<string> = new Set(['adapted-linear']);

/**
 * Every kernel by itself, forward and backward: fused, composed of TensorFlow's operations, and PyTorch's; at the sizes
 * of the shape.
 *
 * @param inputs gives the file with a size's inputs
 */
export function kernelSuite(shape: Shape, inputs: (size: KernelSize) => string): CaseGroup[] {
  return kernelSizes(shape).flatMap((size) => {
    const params = { work: 'kernels', folder: inputs(size) };
    const names = Object.keys(KERNEL_CASES);
    const group = (peers: readonly PeerName[], kernels: readonly string[]): CaseGroup => ({
      ...{ suite: 'kernels', shape: shape.name, peers, params, needs: 'torch' },
      cases: kernels.map((name) => kernelCase(name, size)),
    });
    return [
      group(
        ['latent-sft', 'composition', 'torch'],
        names.filter((name) => !COMPOSED.has(name)),
      ),
      group(
        ['latent-sft', 'torch'],
        names.filter((name) => COMPOSED.has(name)),
      ),
    ];
  });
}

function kernelCase(name: string, size: KernelSize): BenchCase {
  return {
    name: size.name === 'odd' ? `${name}-odd` : name,
    asked: name,
    title: `${name}, ${inWords(name, size)}`,
    examples: 0,
    tokens: 0,
    tolerance: /bfloat16|int8/.test(name) ? ROUNDED_TOLERANCE : TOLERANCE,
    flops: null,
  };
}

function inWords(
  name: string,
  { rows, vocabularyRows, decodedRows, keys, parameters, width }: KernelSize,
): string {
  if (name === 'attention-block') return `${rows} rows of ${width}, ${keys} keys`;
  if (name.startsWith('attention')) return `about ${keys} keys`;
  if (name.startsWith('adam-w')) return `${parameters} weights`;
  if (name === 'decoder-step') return `${decodedRows} rows of ${width}, ${keys} keys, 2 layers`;
  if (name.startsWith('packed')) return `${decodedRows} rows of ${width}`;
  if (/entropy|kl|mixture|top-words/.test(name)) return `${vocabularyRows} rows`;
  return `${rows} rows of ${width}`;
}
