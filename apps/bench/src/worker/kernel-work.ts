import { type NamedArray, readSafetensors } from '@latent-sft/model';
import * as tf from '@tensorflow/tfjs';
import type { ServedWork } from '../process/serve.js';
import type { CaseInputs } from './kernel-case.js';
import { KERNEL_CASES } from './kernel-cases.js';

/** A run repeats a kernel for so long, and gives the mean. */
const LEAST_SECONDS = 0.1;

/** Our own kernels, forward and backward, as this process has them: fused, or composed where it is told to. */
export function openKernels(file: string): ServedWork {
  const arrays = readSafetensors(file);
  let opened: { readonly name: string; once(): tf.Tensor[] } | null = null;
  /** Tensors of one case at a time. */
  const open = (name: string) => {
    if (opened?.name === name) return opened;
    // ends with the constants of the case before
    if (opened) tf.engine().endScope();
    tf.engine().startScope(name);
    opened = { name, once: openCase(name, arrays) };
    return opened;
  };
  return {
    check(name) {
      const results = open(name).once();
      const values = results.map((tensor) => meanSquare(tensor.dataSync<'float32'>()));
      tf.dispose(results);
      return values;
    },
    run(name) {
      const { once } = open(name);
      const begin = performance.now();
      let [count, seconds] = [0, 0];
      do {
        tf.dispose(once());
        count++;
        seconds = (performance.now() - begin) / 1000;
      } while (seconds < LEAST_SECONDS);
      return { seconds: seconds / count };
    },
  };
}

/** The case as a function that gives its output and the gradients of its inputs. */
function openCase(name: string, arrays: ReadonlyMap<string, NamedArray>): () => tf.Tensor[] {
  const make = KERNEL_CASES[name];
  if (!make)
    throw new Error(`openCase: expected a kernel of ${Object.keys(KERNEL_CASES).join(', ')}, got ${name}`);
  const array = (input: string) => arrays.get(`${name}/${input}`)!;
  const inputs: CaseInputs = {
    has: (input) => arrays.has(`${name}/${input}`),
    tensor: <T extends tf.Tensor>(input: string) =>
      // a copy, for a kernel may write into the memory of its tensors
      tf.tensor(Float32Array.from(array(input).data), [...array(input).shape], 'float32') as unknown as T,
    integers: (input) => Int32Array.from(array(input).data),
    shape: (input) => array(input).shape,
  };
  const { differentiable, compute } = make(inputs);
  if (differentiable.length === 0) return () => [compute()];
  const moved = differentiable.map((input) => inputs.tensor(input));
  const dy = inputs.tensor('dy');
  return () =>
    tf.tidy(() => {
      let output: tf.Tensor | null = null;
      const gradients = tf.grads((...xs: tf.Tensor[]) => {
        const y = compute(...xs);
        output = tf.keep(tf.clone(y));
        return y;
      })(moved, dy);
      const kept = output as unknown as tf.Tensor;
      const result = tf.clone(kept);
      kept.dispose();
      return [result, ...gradients];
    });
}

function meanSquare(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum / values.length;
}
