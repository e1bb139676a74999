import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { registerKernels } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { cacheFolder } from './cache-folder.js';
import { setUpCommand } from './cure.js';
import { installedEngine } from './engine-folder.js';
import { loadFused } from './fused/load-fused.js';
import { loadedSettings, loadTensorflow, type Precision } from './load-tensorflow.js';
import { unsupportedReason } from './platform.js';
import { instructionSets } from './processor.js';
import type { Flavour } from './wheels.js';

/** A tfjs backend that programs can run on. */
export type Backend = 'tensorflow' | 'wasm' | 'cpu';

/** Why a slower backend is in use, what that costs, and what to do about it. */
export interface Fallback {
  readonly reason: string;
  readonly cost: string;
  readonly cure: string;
}

/** What the tensors of this process run on. */
export interface EngineReport {
  readonly backend: Backend;
  /** Build of TensorFlow, null on other backends. */
  readonly flavour: Flavour | null;
  readonly tensorflowVersion: string | null;
  readonly tfjsVersion: string;
  readonly nodeVersion: string;
  readonly cores: number;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** Of matrix products; kernels of this project always compute in float32. */
  readonly precision: Precision;
  readonly instructionSets: readonly string[];
  /** Instruction set of the fused kernels (`avx512`, `avx2`, `portable`), null where all are composed. */
  readonly fused: string | null;
  /** Set if `auto` did not get the fastest backend. */
  readonly fallback: Fallback | null;
}

/** How the backend is started. */
export interface SelectOptions {
  /**
   * Size of TensorFlow's thread pool. Without it `TF_NUM_INTRAOP_THREADS` counts, then the number of
   * cores. Fixed for the process by the first call that loads TensorFlow.
   */
  readonly threads?: number;
  /**
   * `bfloat16-products` lets oneDNN round the factors of float32 matrix products to bfloat16, on TensorFlow
   * and a CPU with `amx_bf16` or `avx512_bf16`; other CPUs go on in float32. Without it `float32`. Fixed
   * for the process as the threads are.
   */
  readonly precision?: Precision;
}

const require = createRequire(import.meta.url);

/** From matrix products on two cores: TensorFlow 120 to 250, wasm 14 to 36, cpu 0.4 to 0.9 GFLOP/s. */
const COST: Readonly<Record<Exclude<Backend, 'tensorflow'>, string>> = {
  wasm: 'one thread and a fifth to a tenth of the speed',
  cpu: 'less than a hundredth of the speed, enough for the smallest examples',
};

const ORDER: readonly Backend[] = ['tensorflow', 'wasm', 'cpu'];
let announced = false;

/**
 * Chooses the backend of this process; the one call by which programs do so.
 *
 * `auto` takes TensorFlow, else wasm, else cpu, and says once on standard error if it fell back: to what,
 * what that costs, and which command mends it. Every named kernel is registered for the backend.
 *
 * @throws if a backend is asked for by name and cannot be started.
 * @throws if TensorFlow is already loaded with other threads or another precision than asked for.
 * @throws if more than `float32` is asked for and the backend is not TensorFlow on a CPU.
 */
export async function selectEngine(
  preference: Backend | 'auto' = 'auto',
  options: SelectOptions = {},
): Promise<EngineReport> {
  if (preference === 'auto' || preference === 'tensorflow') requireLoadedSettings(options);
  const candidates = preference === 'auto' ? ORDER : [preference];
  const reasons: string[] = [];
  for (const backend of candidates) {
    const reason = await start(backend, options);
    if (reason !== null) {
      reasons.push(`${backend}: ${reason}`);
      continue;
    }
    const fallback = fallbackOf(backend, reasons);
    requirePrecision(backend, options.precision, fallback);
    registerKernels(backend);
    announce(backend, fallback);
    return await report(backend, fallback);
  }
  throw new Error(`selectEngine: expected a backend that starts, got ${reasons.join('; ')}; ${cure()}`);
}

function requireLoadedSettings(options: SelectOptions): void {
  const loaded = loadedSettings();
  if (loaded === null) return;
  for (const name of ['threads', 'precision'] as const)
    if (options[name] !== undefined && options[name] !== loaded[name])
      throw new Error(
        `selectEngine: expected ${name} ${loaded[name]}, with which this process has loaded TensorFlow, got ${options[name]}; start another process for it`,
      );
}

function requirePrecision(backend: Backend, wanted: Precision | undefined, fallback: Fallback | null): void {
  if (wanted === undefined || wanted === 'float32' || backend === 'tensorflow') return;
  const why = fallback === null ? '' : ` (${fallback.reason}); ${fallback.cure}`;
  throw new Error(`selectEngine: expected precision float32 on the ${backend} backend, got ${wanted}${why}`);
}

/** Starts a backend; gives the reason why it cannot, null on success. */
async function start(backend: Backend, options: SelectOptions): Promise<string | null> {
  try {
    if (backend === 'tensorflow') startTensorflow(options);
    if (backend === 'wasm') prepareWasm();
    if (!(await tf.setBackend(backend))) return 'tfjs could not initialise it';
    await tf.ready();
    if (backend === 'cpu') silenceCpuBanner();
    return null;
  } catch (error) {
    return (error as Error).message.split('\n')[0]!;
  }
}

function startTensorflow(options: SelectOptions): void {
  const unsupported = unsupportedReason();
  if (unsupported !== null) throw new Error(unsupported);
  const engine = installedEngine(cacheFolder());
  if (engine === null) throw new Error('the native engine is not set up');
  if (engine.flavour === 'gpu' && options.precision === 'bfloat16-products')
    throw new Error('expected precision float32 of its GPU build, got bfloat16-products');
  loadTensorflow(engine, options);
}

function prepareWasm(): void {
  const file = require.resolve('@tensorflow/tfjs-backend-wasm');
  const { setWasmPaths } = require(file) as typeof import('@tensorflow/tfjs-backend-wasm');
  if (tf.findBackend('wasm') === null) setWasmPaths(join(dirname(file), sep));
}

/** On its first use the cpu backend advertises another package, whose place TensorFlow takes here. */
function silenceCpuBanner(): void {
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
}

function cure(): string {
  return unsupportedReason() === null
    ? `to mend it, run: ${setUpCommand()}`
    : 'run it on Linux, x86-64, for full speed';
}

function fallbackOf(backend: Backend, reasons: readonly string[]): Fallback | null {
  if (backend === 'tensorflow' || reasons.length === 0) return null;
  return { reason: reasons.join('; '), cost: COST[backend], cure: cure() };
}

function announce(backend: Backend, fallback: Fallback | null): void {
  if (fallback === null || announced) return;
  announced = true;
  process.stderr.write(
    `latent-sft: running on ${backend}, with ${fallback.cost} (${fallback.reason}); ${fallback.cure}\n`,
  );
}

async function report(backend: Backend, fallback: Fallback | null): Promise<EngineReport> {
  const native = backend === 'tensorflow' ? installedEngine(cacheFolder()) : null;
  const loaded = native && loadedSettings();
  return {
    backend,
    flavour: native?.flavour ?? null,
    tensorflowVersion: native?.tensorflowVersion ?? null,
    tfjsVersion: tf.version.tfjs,
    nodeVersion: process.versions.node,
    cores: availableParallelism(),
    threads: loaded?.threads ?? 1,
    precision: loaded?.precision ?? 'float32',
    instructionSets: instructionSets(),
    fused: native && (await loadFused(native)),
    fallback,
  };
}
