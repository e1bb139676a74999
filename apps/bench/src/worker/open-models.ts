import { join } from 'node:path';
import { loadModelFolder, type NamedArray, readSafetensors } from '@latent-sft/model';
import { ADAPTERS_FILE, MODEL_FOLDER, readWork, type WorkDescription } from '../workload/work-file.js';

/** The work folder as arrays. */
export interface OpenedWork {
  readonly work: WorkDescription;
  readonly base: ReadonlyMap<string, NamedArray>;
  /** What moves, by model: adapters, or all weights. */
  readonly initial: {
    readonly encoder: ReadonlyMap<string, NamedArray>;
    readonly decoder: ReadonlyMap<string, NamedArray>;
  };
}

export function openModels(folder: string): OpenedWork {
  const work = readWork(folder);
  const base = loadModelFolder(join(folder, MODEL_FOLDER)).weights;
  if (work.training.method === 'full') return { work, base, initial: { encoder: base, decoder: base } };
  const adapters = [...readSafetensors(join(folder, ADAPTERS_FILE))];
  const of = (owner: string) =>
    new Map(
      adapters
        .filter(([name]) => name.startsWith(`${owner}/`))
        .map(([name, array]) => [name.slice(owner.length + 1), array] as const),
    );
  return { work, base, initial: { encoder: of('encoder'), decoder: of('decoder') } };
}
