import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import type { EngineStatus } from './engine-folder.js';
import { useMatMul } from './matrix-product.js';

const require = createRequire(import.meta.url);

/**
 * What matrix products of float32 tensors are computed in: `float32`, or `bfloat16-products`, where oneDNN
 * rounds both factors to bfloat16 and adds up in float32.
 */
export type Precision = 'float32' | 'bfloat16-products';

/** How TensorFlow is loaded; all of it is fixed for the process when its library loads. */
export interface LoadSettings {
  readonly threads: number;
  readonly precision: Precision;
}

/** Above the priority of every backend that tfjs brings along. */
const PRIORITY = 3;

let loaded: LoadSettings | null = null;

/** What TensorFlow was loaded with, or null before that. */
export function loadedSettings(): LoadSettings | null {
  return loaded;
}

/**
 * Loads TensorFlow and registers tfjs's `tensorflow` backend on it; does nothing the second time.
 *
 * The parts of `@tensorflow/tfjs-node-gpu` are required one by one: its index looks for a binding inside
 * its own folder under node_modules, and ours lives in the cache.
 *
 * @param engine An installed engine.
 * @param wanted.threads Size of TensorFlow's thread pool; `TF_NUM_INTRAOP_THREADS` if set, else every core.
 * @param wanted.precision `float32` unless given.
 * @throws if a library does not load.
 */
export function loadTensorflow(engine: EngineStatus, wanted: Partial<LoadSettings> = {}): void {
  if (loaded !== null) return;
  const precision = wanted.precision ?? 'float32';
  prepareEnvironment(wanted.threads, precision);
  restoreRemovedUtilities();
  const [binding] = engine.addons.map((file) => require(file) as unknown);
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  // MatMul calls oneDNN's sgemm, which knows no bfloat16
  if (precision === 'float32') useMatMul();
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new (binding: unknown, packageName: string) => tf.KernelBackend;
  };
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend, PRIORITY);
  loaded = { threads: Number(process.env.TF_NUM_INTRAOP_THREADS), precision };
}

/** TensorFlow reads these when its library loads. oneDNN is off by default on AMD, where it is twice as fast. */
function prepareEnvironment(wantedThreads: number | undefined, precision: Precision): void {
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (wantedThreads !== undefined) process.env.TF_NUM_INTRAOP_THREADS = String(wantedThreads);
  // TensorFlow counts the machine's cores; Node also heeds a container's limit.
  process.env.TF_NUM_INTRAOP_THREADS ||= String(availableParallelism());
  if (precision === 'bfloat16-products') process.env.TF_SET_ONEDNN_FPMATH_MODE = 'BF16';
  else delete process.env.TF_SET_ONEDNN_FPMATH_MODE;
}

/** tfjs-node-gpu 4.22 calls two functions that Node 22 warns about and Node 23 has not. */
function restoreRemovedUtilities(): void {
  const removed = util as unknown as Record<string, unknown>;
  removed.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  removed.isArray = Array.isArray;
}
