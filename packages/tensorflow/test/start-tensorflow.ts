import { selectEngine } from '../src/index.js';

/**
 * Starts TensorFlow in this test file's process.
 *
 * @param fused value of LATENT_SFT_FUSED; without it the environment's
 * @returns why it did not start, or null.
 */
export async function start(fused?: string): Promise<string | null> {
  if (fused !== undefined) process.env.LATENT_SFT_FUSED = fused;
  return selectEngine('tensorflow').then(
    () => null,
    (error: Error) => error.message,
  );
}
