import { createRequire } from 'node:module';
import { kernelNames, overrideKernel } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { setUpCommand } from '../cure.js';
import type { EngineStatus } from '../engine-folder.js';
import { loadedSettings } from '../load-tensorflow.js';
import { buildFused } from './build-fused.js';
import { FUSED_KERNELS, OWN_PRODUCTS } from './fused-kernels.js';

const require = createRequire(import.meta.url);
let loaded: Promise<string | null> | null = null;

/**
 * Gives the `tensorflow` backend, which must be current, the fused kernels; the second call changes nothing.
 * `LATENT_SFT_FUSED=0` leaves them out; `=avx2` or `=portable` keeps them to less than the processor can do.
 * Without them every kernel is composed of TensorFlow's own operations, slower: that is said once, on standard
 * error, and is no failure.
 *
 * @returns the instruction set that they use, or null if there are none.
 */
export function loadFused(engine: EngineStatus): Promise<string | null> {
  loaded ??= load(engine);
  return loaded;
}

async function load(engine: EngineStatus): Promise<string | null> {
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice: boolean };
  // they are written for the CPU, and copies to and from a GPU would cost more than they save
  if (process.env.LATENT_SFT_FUSED === '0' || isUsingGpuDevice) return null;
  try {
    const file = await buildFused(engine, {
      onBuild: () => say('compiling the fused kernels, once for this version of their sources'),
    });
    const { instructionSet } = require(file) as { instructionSet: string };
    // the products inside a kernel are float32's; oneDNN's own in bfloat16 are faster than that
    const reduced = loadedSettings()?.precision === 'bfloat16-products';
    // a bundler leaves kernels out that the program does not use
    for (const name of kernelNames()) {
      const kernel = FUSED_KERNELS[name];
      if (kernel && !(reduced && OWN_PRODUCTS.has(name))) overrideKernel(name, 'tensorflow', kernel);
    }
    return instructionSet;
  } catch (error) {
    say(
      `going on without the fused kernels, slower (${(error as Error).message}); ` +
        `to try again, run: ${setUpCommand()}`,
    );
    return null;
  }
}

function say(line: string): void {
  process.stderr.write(`latent-sft: ${line}\n`);
}
