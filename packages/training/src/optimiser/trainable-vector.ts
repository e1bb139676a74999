import type { NamedArray, Parameters } from '@latent-sft/model';
import { type AdamWSettings, type AdamWState, adamW, valueAndGradients } from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';

/** Settings that stay the same over a stage. */
export interface OptimiserSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the whole gradient. */
  readonly clip: number;
}

/** What one optimiser step saw. */
export interface StepReport {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** A loss to descend, with parts worth logging; all scalars. */
export interface Loss {
  readonly loss: tf.Scalar;
  readonly parts: Readonly<Record<string, tf.Scalar>>;
}

/** A loss or its gradient stopped being a number. */
export class NotFiniteError extends Error {}

const VECTORS = ['weights', 'mean', 'variance'] as const;

/** Losses computed one after another, their parts, and the gradients of their sum. */
interface Descent {
  readonly losses: tf.Scalar[];
  readonly parts: { readonly name: string; readonly value: tf.Scalar }[];
  gradients: tf.Tensor[];
}

/**
 * The tensors that a stage trains, with their AdamW state. A step costs one operation however many tensors there are,
 * which writes in place where it is fused: so the tensors' memory is theirs alone, and who wants to keep weights over a
 * step copies them to the host.
 */
export class TrainableVector {
  /** By name; after a step they hold other numbers, and may be other tensors. */
  parameters: Parameters = new Map();
  private readonly names: string[];
  private readonly shapes: number[][];
  private readonly sizes: number[];
  private readonly total: number;
  private readonly decayed: tf.Tensor1D;
  private state!: AdamWState;

  constructor(initial: ReadonlyMap<string, NamedArray>) {
    this.names = [...initial.keys()];
    this.shapes = [...initial.values()].map(({ shape }) => [...shape]);
    this.sizes = [...initial.values()].map(({ data }) => data.length);
    this.total = this.sizes.reduce((sum, size) => sum + size, 0);
    // norms are not decayed, as is the custom
    this.decayed = tf.tensor1d(
      this.shapes.map(({ length }) => Number(length > 1)),
      'int32',
    );
    this.take(
      [...initial.values()].map(({ data }) => data),
      new Float32Array(this.total),
      new Float32Array(this.total),
    );
  }

  /**
   * Descends the sum of losses by one AdamW step, with its gradient clipped to a norm. The losses are computed one
   * after another, so that memory has to hold one of them at a time.
   *
   * @param step from 1
   * @throws if there is no loss.
   * @throws if the loss or its gradient is not finite; the weights are then as they were.
   */
  descend(
    losses: readonly ((parameters: Parameters) => Loss)[],
    step: number,
    learningRate: number,
    settings: OptimiserSettings,
  ): StepReport {
    if (losses.length === 0) throw new Error('descend: expected at least one loss, got none');
    const descent: Descent = { losses: [], parts: [], gradients: [] };
    try {
      for (const lossOf of losses) this.addGradient(lossOf, descent);
      const report = this.apply(descent, { ...settings, learningRate, step });
      if (Number.isFinite(report.loss) && Number.isFinite(report.gradientNorm)) return report;
      const what = Number.isFinite(report.loss)
        ? `gradient norm ${report.gradientNorm}`
        : `loss ${report.loss}`;
      throw new NotFiniteError(`descend: expected a finite loss and gradient at step ${step}, got ${what}`);
    } finally {
      tf.dispose([...descent.losses, ...descent.parts.map(({ value }) => value), ...descent.gradients]);
    }
  }

  /** Computes one loss, and adds its gradients to those of the losses before it. */
  private addGradient(lossOf: (parameters: Parameters) => Loss, descent: Descent): void {
    const { value, gradients } = valueAndGradients(() => {
      const { loss, parts } = lossOf(this.parameters);
      for (const [name, part] of Object.entries(parts))
        descent.parts.push({ name, value: tf.keep(tf.clone(part)) });
      return loss;
    }, this.tensors());
    descent.losses.push(value);
    const before = descent.gradients;
    const missing = this.names.filter((_, i) => gradients[i] === null);
    const added = gradients.filter((gradient) => gradient !== null);
    if (missing.length > 0) {
      tf.dispose(added);
      throw new Error(`descend: expected a loss of every parameter, got none of ${missing.join(', ')}`);
    }
    descent.gradients = before.length > 0 ? added.map((gradient, i) => tf.add(before[i]!, gradient)) : added;
    if (before.length > 0) tf.dispose([...before, ...added]);
  }

  /** One step, and what it saw; loss, parts and norm are read together. */
  private apply({ losses, parts, gradients }: Descent, settings: AdamWSettings): StepReport {
    const stacked = tf.stack(losses) as tf.Tensor1D;
    const before = { weights: this.tensors(), state: this.state };
    const { variables, norm } = adamW(before, gradients, this.decayed, stacked, settings);
    if (variables !== before) this.hold(variables.weights, variables.state);
    const seen = [norm, ...losses, ...parts.map(({ value }) => value)];
    const read = tf.tidy(() => [...tf.stack(seen).dataSync<'float32'>()]);
    tf.dispose([stacked, norm]);
    const sums: Record<string, number> = {};
    parts.forEach(({ name }, i) => {
      sums[name] = (sums[name] ?? 0) + read[1 + losses.length + i]!;
    });
    const loss = read.slice(1, 1 + losses.length).reduce((sum, each) => sum + each, 0);
    return { loss, gradientNorm: read[0]!, parts: sums };
  }

  /** The weights by name, copied to the host. */
  arrays(): Map<string, NamedArray> {
    const data = this.tensors().map((tensor) => Float32Array.from(tensor.dataSync<'float32'>()));
    return new Map(this.names.map((name, i) => [name, { shape: this.shapes[i]!, data: data[i]! }]));
  }

  /** Weights and optimiser state as three flat arrays, for a checkpoint. */
  snapshot(): Map<string, NamedArray> {
    const weights = new Float32Array(this.total);
    let start = 0;
    for (const tensor of this.tensors()) {
      weights.set(tensor.dataSync<'float32'>(), start);
      start += tensor.size;
    }
    const [mean, variance] = [this.state.mean, this.state.variance].map((tensor) =>
      Float32Array.from(tensor.dataSync<'float32'>()),
    );
    const arrays = { weights, mean: mean!, variance: variance! };
    return new Map(VECTORS.map((name) => [name, { shape: [this.total], data: arrays[name] }]));
  }

  /**
   * Takes a snapshot back.
   *
   * @throws if it is of another number of parameters.
   */
  restore(snapshot: ReadonlyMap<string, NamedArray>): void {
    const [weights, mean, variance] = VECTORS.map((name) => {
      const data = snapshot.get(name)?.data;
      if (data?.length !== this.total) {
        throw new Error(`restore: expected ${name} of ${this.total} numbers, got ${data?.length ?? 'none'}`);
      }
      return data;
    });
    let start = 0;
    const arrays = this.sizes.map((size) => {
      start += size;
      return weights!.subarray(start - size, start);
    });
    tf.dispose([...this.tensors(), this.state.mean, this.state.variance]);
    this.take(arrays, mean!, variance!);
  }

  dispose(): void {
    tf.dispose([...this.tensors(), this.state.mean, this.state.variance, this.decayed]);
  }

  private tensors(): tf.Tensor[] {
    return this.names.map((name) => this.parameters.get(name)!);
  }

  private hold(weights: readonly tf.Tensor[], state: AdamWState): void {
    this.parameters = new Map(this.names.map((name, i) => [name, weights[i]!]));
    this.state = state;
  }

  /** Makes tensors of arrays, which are copied: a tensor may lie in the memory of its array. */
  private take(weights: readonly Float32Array[], mean: Float32Array, variance: Float32Array): void {
    const tensors = weights.map((data, i) => tf.tensor(Float32Array.from(data), this.shapes[i]!, 'float32'));
    const state = {
      mean: tf.tensor1d(Float32Array.from(mean)),
      variance: tf.tensor1d(Float32Array.from(variance)),
    };
    this.hold(tensors, state);
  }
}
