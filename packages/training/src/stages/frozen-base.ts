import { type Parameters, withAdapter } from '@latent-sft/model';
import type * as tf from '@tensorflow/tfjs';

/** The weights that adapters stand beside: held once, whatever number of models are made of them. */
export interface FrozenBase {
  readonly parameters: Parameters;
  /** What adapters are multiplied by. */
  readonly scale: tf.Scalar;
}

/** The whole model of what a stage trains: that itself, or with adapters the frozen base and they. */
export function completeModel(base: FrozenBase | null, moving: Parameters): Parameters {
  return base ? withAdapter(base.parameters, moving, base.scale) : moving;
}

/** Disposes what `completeModel` had to compute, and neither the base nor what moves. */
export function releaseModel(base: FrozenBase | null, moving: Parameters, model: Parameters): void {
  for (const [name, tensor] of model) {
    const isPart =
      tensor === base?.parameters.get(name) || tensor === moving.get(name) || tensor === base?.scale;
    if (!isPart) tensor.dispose();
  }
}

/** Uses the whole model of what a stage trains, and disposes what had to be computed for it. */
export function usingModel<T>(base: FrozenBase | null, moving: Parameters, use: (model: Parameters) => T): T {
  const model = completeModel(base, moving);
  try {
    return use(model);
  } finally {
    releaseModel(base, moving, model);
  }
}
