import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';

/** A tfjs backend, and why it cannot run here if it cannot. */
export interface TestBackend {
  readonly name: string;
  readonly missing?: string;
}

async function wasm(): Promise<TestBackend> {
  try {
    createRequire(import.meta.url)('@tensorflow/tfjs-backend-wasm');
    const chosen = await tf.setBackend('wasm');
    return chosen ? { name: 'wasm' } : { name: 'wasm', missing: 'the backend did not start' };
  } catch (error) {
    return { name: 'wasm', missing: String(error) };
  }
}

/** The backends that this package runs on by itself. */
export const backends: readonly TestBackend[] = [{ name: 'cpu' }, await wasm()];
