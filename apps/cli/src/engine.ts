import type { EngineReport, Precision } from '@latent-sft/tensorflow';
import type { GlobalOptions } from './options.js';

/**
 * Starts the backend that the options ask for.
 *
 * @param usual the precision of a run, unless the options ask for another
 */
export async function startEngine(
  { backend, threads, precision }: GlobalOptions,
  usual?: Precision,
): Promise<EngineReport> {
  const { selectEngine } = await import('@latent-sft/tensorflow');
  const chosen = precision ?? usual;
  return selectEngine(backend, {
    ...(threads !== undefined && { threads }),
    ...(chosen !== undefined && { precision: chosen }),
  });
}

/** The engine in a few words. */
export function engineInWords({ backend, tensorflowVersion, threads, precision }: EngineReport): string {
  const name = backend === 'tensorflow' ? `TensorFlow ${tensorflowVersion}` : `the ${backend} backend`;
  const products = precision === 'float32' ? '' : ', matrix products in bfloat16';
  return `${name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${products}`;
}
