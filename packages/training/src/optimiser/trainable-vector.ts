import type { NamedArray, Parameters } from '@latent-sft/model';
import { type AdamWState, adamW, valueAndGradients } from '@latent-sft/tensor';
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

/**
 * The tensors that a stage trains, held as one flat vector with its AdamW state, so that one step costs a dozen
 * operations however many tensors there are. `parameters` are views of it by name.
 */
export class TrainableVector {
  parameters: Parameters;
  private readonly names: string[];
  private readonly shapes: number[][];
  private readonly sizes: number[];
  private weights: tf.Tensor1D;
  private state: AdamWState;
  private readonly decayed: tf.Tensor1D;

  constructor(initial: ReadonlyMap<string, NamedArray>) {
    this.names = [...initial.keys()];
    this.shapes = [...initial.values()].map(({ shape }) => [...shape]);
    this.sizes = [...initial.values()].map(({ data }) => data.length);
    const total = this.sizes.reduce((a, b) => a + b, 0);
    const flat = new Float32Array(total);
    const decayed = new Float32Array(total);
    let start = 0;
    for (const { shape, data } of initial.values()) {
      flat.set(data, start);
      // norms are not decayed, as is the custom
      if (shape.length > 1) decayed.fill(1, start, start + data.length);
      start += data.length;
    }
    this.weights = tf.tensor1d(flat);
    this.state = { mean: tf.zeros([total]), variance: tf.zeros([total]) };
    this.decayed = tf.tensor1d(decayed);
    this.parameters = this.views();
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
    const sum = { loss: 0, parts: {} as Record<string, number> };
    let gradient: tf.Tensor1D | null = null;
    for (const lossOf of losses) {
      const part = this.gradientOf(lossOf);
      sum.loss += part.loss;
      for (const [name, value] of Object.entries(part.parts))
        sum.parts[name] = (sum.parts[name] ?? 0) + value;
      const before: tf.Tensor1D | null = gradient;
      gradient = before ? tf.add<tf.Tensor1D>(before, part.gradient) : part.gradient;
      if (before) tf.dispose([before, part.gradient]);
    }
    return this.apply(gradient!, sum, step, learningRate, settings);
  }

  /** One loss with its parts, and its gradient as one flat vector that the caller disposes. */
  private gradientOf(lossOf: (parameters: Parameters) => Loss) {
    const kept: Record<string, tf.Scalar> = {};
    const inputs = this.names.map((name) => this.parameters.get(name)!);
    const { value: loss, gradients } = valueAndGradients(() => {
      const result = lossOf(this.parameters);
      for (const [name, part] of Object.entries(result.parts)) kept[name] = tf.keep(tf.clone(part));
      return result.loss;
    }, inputs);
    const missing = this.names.find((_, i) => gradients[i] === null);
    if (missing !== undefined) {
      tf.dispose([loss, ...Object.values(kept), ...gradients.filter((gradient) => gradient !== null)]);
      throw new Error(`descend: expected a loss of every parameter, got none of ${missing}`);
    }
    const gradient = tf.tidy(() => tf.concat1d(gradients.map((each) => tf.reshape(each!, [each!.size]))));
    tf.dispose(gradients as tf.Tensor[]);
    const parts = Object.fromEntries(Object.entries(kept).map(([name, part]) => [name, part.dataSync()[0]!]));
    const value = loss.dataSync()[0]!;
    tf.dispose([loss, ...Object.values(kept)]);
    return { loss: value, parts, gradient };
  }

  private apply(
    gradient: tf.Tensor1D,
    { loss, parts }: Pick<StepReport, 'loss' | 'parts'>,
    step: number,
    learningRate: number,
    settings: OptimiserSettings,
  ): StepReport {
    const norm = tf.tidy(() => tf.sqrt(tf.sum(tf.square(gradient))));
    const report: StepReport = { loss, gradientNorm: norm.dataSync()[0]!, parts };
    norm.dispose();
    if (!Number.isFinite(report.loss) || !Number.isFinite(report.gradientNorm)) {
      gradient.dispose();
      const what = Number.isFinite(report.loss)
        ? `gradient norm ${report.gradientNorm}`
        : `loss ${report.loss}`;
      throw new NotFiniteError(`descend: expected a finite loss and gradient at step ${step}, got ${what}`);
    }
    const { clip, ...rest } = settings;
    const scale = report.gradientNorm > clip ? clip / report.gradientNorm : 1;
    const clipped = scale === 1 ? gradient : tf.mul<tf.Tensor1D>(gradient, scale);
    const next = adamW(this.weights, clipped, this.state, this.decayed, { ...rest, learningRate, step });
    tf.dispose([gradient, clipped, this.weights, this.state.mean, this.state.variance]);
    this.replace(next.weights, next.state);
    return report;
  }

  /** The weights by name, copied to the host. */
  arrays(): Map<string, NamedArray> {
    return this.unflatten(this.weights.dataSync<'float32'>());
  }

  /** Weights and optimiser state as three flat arrays, for a checkpoint. */
  snapshot(): Map<string, NamedArray> {
    const tensors = { weights: this.weights, ...this.state };
    return new Map(
      VECTORS.map((name) => [
        name,
        { shape: [tensors[name].size], data: Float32Array.from(tensors[name].dataSync()) },
      ]),
    );
  }

  /**
   * Takes a snapshot back.
   *
   * @throws if it is of another number of parameters.
   */
  restore(snapshot: ReadonlyMap<string, NamedArray>): void {
    const arrays = VECTORS.map((name) => {
      const data = snapshot.get(name)?.data;
      if (data?.length !== this.weights.size) {
        throw new Error(
          `restore: expected ${name} of ${this.weights.size} numbers, got ${data?.length ?? 'none'}`,
        );
      }
      return tf.tensor1d(data);
    });
    tf.dispose([this.weights, this.state.mean, this.state.variance]);
    this.replace(arrays[0]!, { mean: arrays[1]!, variance: arrays[2]! });
  }

  dispose(): void {
    tf.dispose([this.weights, this.state.mean, this.state.variance, this.decayed]);
    for (const tensor of this.parameters.values()) tensor.dispose();
  }

  private replace(weights: tf.Tensor1D, state: AdamWState): void {
    for (const tensor of this.parameters.values()) tensor.dispose();
    this.weights = weights;
    this.state = state;
    this.parameters = this.views();
  }

  private views(): Parameters {
    const parts = tf.split(this.weights, this.sizes);
    const views = new Map(this.names.map((name, i) => [name, tf.reshape(parts[i]!, this.shapes[i]!)]));
    tf.dispose(parts);
    return views;
  }

  private unflatten(flat: Float32Array): Map<string, NamedArray> {
    let start = 0;
    return new Map(
      this.names.map((name, i) => {
        const data = flat.slice(start, start + this.sizes[i]!);
        start += this.sizes[i]!;
        return [name, { shape: this.shapes[i]!, data }];
      }),
    );
  }
}
