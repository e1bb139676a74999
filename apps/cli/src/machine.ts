import { cpus } from 'node:os';
import type { EngineReport } from '@latent-sft/tensorflow';
import { engineInWords } from './engine.js';

/** The machine that figures come from. */
export interface Machine {
  readonly processor: string | null;
  readonly cores: number;
  readonly engine: string;
  readonly backend: string;
  readonly threads: number;
  readonly precision: string;
  readonly node: string;
}

export function machineOf(engine: EngineReport): Machine {
  return {
    processor: cpus()[0]?.model.trim() || null,
    cores: engine.cores,
    engine: engineInWords(engine),
    backend: engine.backend,
    threads: engine.threads,
    precision: engine.precision,
    node: engine.nodeVersion,
  };
}
