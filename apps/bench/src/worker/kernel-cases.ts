import {
  type AdamWVariables,
  adamW,
  adaptedLinear,
  attention,
  attentionMask,
  crossEntropy,
  embedding,
  fullKl,
  gatherRows,
  headCrossEntropy,
  headSparseKl,
  headTopWords,
  mixture,
  rmsNorm,
  rotary,
  rotaryTable,
  scatterRows,
  selectRows,
  sparseKl,
  swiglu,
  type TopWords,
  topWords,
} from '@latent-sft/tensor';
import * as tf from '@tensorflow/tfjs';
import { SUPPORT } from '../workload/make-examples.js';
import { blockCases } from './kernel-block-cases.js';
import type { CaseInputs, KernelCase } from './kernel-case.js';

const ids = (inputs: CaseInputs, name: string) =>
  tf.tensor(inputs.integers(name), [...inputs.shape(name)], 'int32');

const attentionCase = (inputs: CaseInputs): KernelCase => {
  const length = inputs.shape('query')[1]!;
  const mask = attentionMask(inputs.integers('ranges'), { batch: 1, queries: length, keys: length });
  return {
    differentiable: ['query', 'key', 'value'],
    compute: (query, key, value) =>
      attention(query as tf.Tensor4D, key as tf.Tensor4D, value as tf.Tensor4D, mask),
  };
};

const adamWCase =
  (clip: number) =>
  (inputs: CaseInputs): KernelCase => {
    const vector = (name: string) => inputs.tensor<tf.Tensor1D>(name);
    const gradients = [vector('gradient')];
    let variables: AdamWVariables = {
      weights: [vector('weights')],
      state: { mean: vector('mean'), variance: vector('variance') },
    };
    const [decayed, losses] = [tf.tensor1d([1], 'int32'), tf.tensor1d([1])];
    const settings = {
      ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
      ...{ step: 10, clip },
    };
    // no gradient passes through an optimiser; every run moves the weights, as the peer's does
    const compute = () => {
      const next = adamW(variables, gradients, decayed, losses, settings);
      variables = next.variables;
      next.norm.dispose();
      return tf.clone(variables.weights[0]!);
    };
    return { differentiable: [], compute };
  };

/** Every kernel that has a fused implementation, and the linear map with an adapter; dropout draws, and is left out. */
export const KERNEL_CASES: Readonly<Record<string, (inputs: CaseInputs) => KernelCase>> = {
  'attention-causal': attentionCase,
  'attention-ltsum': attentionCase,
  'rms-norm': () => ({
    differentiable: ['x', 'weight'],
    compute: (x, weight) => rmsNorm(x!, weight as tf.Tensor1D, 1e-5),
  }),
  rotary: (inputs) => {
    const [, length, , width] = inputs.shape('x');
    const places = Int32Array.from({ length: length! }, (_, i) => i);
    const table = rotaryTable(places, [1, length!], width!, 10_000);
    return { differentiable: ['x'], compute: (x) => rotary(x as tf.Tensor4D, table) };
  },
  swiglu: () => ({ differentiable: ['gate', 'up'], compute: (gate, up) => swiglu(gate!, up!) }),
  'adapted-linear': (inputs) => {
    const weight = inputs.tensor<tf.Tensor2D>('weight');
    const scale = tf.scalar(2);
    return {
      differentiable: ['x', 'lower', 'raise'],
      compute: (x, lower, raise) =>
        adaptedLinear(x as tf.Tensor2D, weight, lower as tf.Tensor2D, raise as tf.Tensor2D, scale),
    };
  },
  'cross-entropy': (inputs) => {
    const targets = ids(inputs, 'targets') as tf.Tensor1D;
    return { differentiable: ['logits'], compute: (logits) => crossEntropy(logits as tf.Tensor2D, targets) };
  },
  'full-kl': (inputs) => {
    const teacher = inputs.tensor<tf.Tensor2D>('probabilities');
    return { differentiable: ['logits'], compute: (logits) => fullKl(logits as tf.Tensor2D, teacher) };
  },
  'sparse-kl': (inputs) => {
    const [words, teacher] = [ids(inputs, 'ids') as tf.Tensor2D, inputs.tensor<tf.Tensor2D>('probabilities')];
    return {
      differentiable: ['logits'],
      compute: (logits) => sparseKl(logits as tf.Tensor2D, words, teacher),
    };
  },
  mixture: (inputs) => {
    const [words, table] = [ids(inputs, 'ids') as tf.Tensor2D, inputs.tensor<tf.Tensor2D>('table')];
    return { differentiable: ['alpha'], compute: (alpha) => mixture(alpha as tf.Tensor2D, words, table) };
  },
  embedding: (inputs) => {
    const words = ids(inputs, 'ids') as tf.Tensor1D;
    return { differentiable: ['table'], compute: (table) => embedding(table as tf.Tensor2D, words) };
  },
  'gather-rows': (inputs) => {
    const selection = selectRows(inputs.integers('selection'), inputs.shape('x')[0]!);
    return { differentiable: ['x'], compute: (x) => gatherRows(x as tf.Tensor2D, selection) };
  },
  'scatter-rows': (inputs) => {
    const selection = selectRows(inputs.integers('selection'), inputs.shape('base')[0]!);
    return {
      differentiable: ['base', 'values'],
      compute: (base, values) => scatterRows(base as tf.Tensor2D, values as tf.Tensor2D, selection),
    };
  },
  'adam-w': adamWCase(Number.POSITIVE_INFINITY),
  'adam-w-clipped': adamWCase(1),
  'head-cross-entropy': (inputs) => {
    const targets = ids(inputs, 'targets') as tf.Tensor1D;
    return {
      differentiable: ['hidden', 'table'],
      compute: (hidden, table) => headCrossEntropy(hidden as tf.Tensor2D, table as tf.Tensor2D, targets),
    };
  },
  'head-sparse-kl': (inputs) => {
    const [words, teacher] = [ids(inputs, 'ids') as tf.Tensor2D, inputs.tensor<tf.Tensor2D>('probabilities')];
    const table = inputs.tensor<tf.Tensor2D>('table');
    return {
      differentiable: ['hidden'],
      compute: (hidden) => headSparseKl(hidden as tf.Tensor2D, table, words, teacher),
    };
  },
  'top-words': (inputs) => {
    const logits = inputs.tensor<tf.Tensor2D>('logits');
    return { differentiable: [], compute: () => chosenLogits(topWords(logits, SUPPORT)) };
  },
  'head-top-words': (inputs) => {
    const [hidden, table] = [inputs.tensor<tf.Tensor2D>('hidden'), inputs.tensor<tf.Tensor2D>('table')];
    return { differentiable: [], compute: () => chosenLogits(headTopWords(hidden, table, SUPPORT)) };
  },
  ...blockCases,
};

function chosenLogits({ logits, ids }: TopWords): tf.Tensor2D {
  ids.dispose();
  return logits;
}
