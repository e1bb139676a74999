import { parametersFrom, withAdapter } from '@latent-sft/model';
import { encodingWork, softLabels } from '@latent-sft/training';
import type { ServedWork } from '../process/serve.js';
import { meanSeconds } from './mean-seconds.js';
import { openModels } from './open-models.js';
import { contextOf } from './training-work.js';

/** Our own soft labels, by the code that `latent-sft train` makes them with. */
export function openLabelling(folder: string): ServedWork {
  const opened = openModels(folder);
  const context = contextOf(opened);
  const { base, train } = context;
  const whole = (model: 'encoder' | 'decoder') => {
    const own = parametersFrom(opened.initial[model]);
    return base ? withAdapter(base.parameters, own, base.scale) : own;
  };
  const models = { encoder: whole('encoder'), decoder: whole('decoder') };
  const { flops } = encodingWork(context, train);
  const { support } = opened.work.training;
  return {
    check() {
      const labels = softLabels(context, models, train);
      const alphas = labels.flatMap(({ alphas }) => rowsOf(alphas, support).flatMap(normalised));
      const sums = labels.flatMap(({ ids }) => rowsOf(ids!, support).map(total));
      return [...alphas, ...sums];
    },
    run: () => ({ seconds: meanSeconds(() => softLabels(context, models, train)), flops }),
  };
}

function rowsOf(values: ArrayLike<number>, width: number): number[][] {
  const all = Array.from(values);
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Peers give shares of the support; ours are of the whole vocabulary. */
function normalised(alphas: readonly number[]): number[] {
  const sum = total(alphas);
  return alphas.map((alpha) => alpha / sum);
}
