import type { EngineReport } from '@latent-sft/tensorflow';
import type { GlobalOptions } from './options.js';

/** Starts the backend that the options ask for. */
export async function startEngine({ backend, threads }: GlobalOptions): Promise<EngineReport> {
  const { selectEngine } = await import('@latent-sft/tensorflow');
  return selectEngine(backend, threads === undefined ? {} : { threads });
}

/** The engine in a few words. */
export function engineInWords({ backend, tensorflowVersion, threads }: EngineReport): string {
  const name = backend === 'tensorflow' ? `TensorFlow ${tensorflowVersion}` : `the ${backend} backend`;
  return `${name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
