import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { type NamedTensors, withoutLeaks } from '../src/index.js';
import './matchers.js';
import { normalSample, type Sample } from './sample.js';

/** A case with its constant tensors (ids, masks, tables) made on the current backend. */
export interface OpenCase {
  /** The kernel under test. */
  kernel(inputs: NamedTensors): tf.Tensor;
  /** The same by plain tfjs operations, so that tfjs can derive the gradient itself. */
  composition(inputs: NamedTensors): tf.Tensor;
  readonly constants: readonly tf.Tensor[];
}

/** One call of a kernel, and what must come out of it. */
export interface KernelCase {
  readonly title: string;
  /** The differentiable inputs. */
  readonly inputs: Readonly<Record<string, Sample>>;
  readonly outputShape: readonly number[];
  open(): OpenCase;
  /** The definition in plain float64 loops, independent of tensors. */
  reference(inputs: Readonly<Record<string, Float64Array>>): Float64Array;
  /** True for output elements that nobody may read; they must only be finite. */
  unread?(element: number): boolean;
}

const FORWARD = { rtol: 2e-5, atol: 2e-6 };
const GRADIENT = { rtol: 2e-4, atol: 2e-5 };
const DIFFERENCE_STEP = 1e-4;

/** Weights of the scalar sum whose gradient is tested; zero where the output is unread. */
function cotangent(kernelCase: KernelCase): Sample {
  const sample = normalSample(`${kernelCase.title}/cotangent`, kernelCase.outputShape);
  return { ...sample, data: sample.data.map((x, i) => (kernelCase.unread?.(i) ? 0 : x)) };
}

/** Gradient of sum(weights * reference) to one input by central differences in float64. */
function centralDifferences(kernelCase: KernelCase, name: string, weights: Float64Array): Float64Array {
  const inputs = Object.fromEntries(
    Object.entries(kernelCase.inputs).map(([key, { data }]) => [key, data.slice()]),
  );
  const value = () => {
    const output = kernelCase.reference(inputs);
    // a weight of zero must also hide what is not finite
    return output.reduce((sum, y, i) => (weights[i] === 0 ? sum : sum + y * weights[i]!), 0);
  };
  const moved = inputs[name]!;
  return moved.map((x, i) => {
    moved[i] = x + DIFFERENCE_STEP;
    const above = value();
    moved[i] = x - DIFFERENCE_STEP;
    const below = value();
    moved[i] = x;
    return (above - below) / (2 * DIFFERENCE_STEP);
  });
}

const toTensor = ({ data, shape }: Sample) => tf.tensor(Float32Array.from(data), [...shape]);

function openInputs(kernelCase: KernelCase): { names: string[]; tensors: tf.Tensor[] } {
  return { names: Object.keys(kernelCase.inputs), tensors: Object.values(kernelCase.inputs).map(toTensor) };
}

const named = (names: readonly string[], tensors: readonly tf.Tensor[]): NamedTensors =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));

/** Checks the forward pass of a case against its float64 reference. */
export function checkForward(kernelCase: KernelCase): void {
  tf.tidy(() => {
    const { names, tensors } = openInputs(kernelCase);
    const output = kernelCase.open().kernel(named(names, tensors));
    expect(output.shape).toEqual(kernelCase.outputShape);
    expect(output.dtype).toBe('float32');
    const actual = output.dataSync();
    const expected = kernelCase.reference(
      Object.fromEntries(Object.entries(kernelCase.inputs).map(([name, { data }]) => [name, data])),
    );
    expect(actual.every(Number.isFinite)).toBe(true);
    const readable = expected.map((y, i) => (kernelCase.unread?.(i) ? actual[i]! : y));
    expect(actual).toBeAllClose(readable, { ...FORWARD, shape: kernelCase.outputShape });
  });
}

/** Checks the gradient of every input against central differences and against the gradient tfjs derives. */
export function checkGradients(kernelCase: KernelCase): void {
  tf.tidy(() => {
    const { names, tensors } = openInputs(kernelCase);
    const { kernel, composition } = kernelCase.open();
    const weights = cotangent(kernelCase);
    const dy = toTensor(weights);
    const gradient = (run: (inputs: NamedTensors) => tf.Tensor) =>
      tf
        .grads((...xs: tf.Tensor[]) => run(named(names, xs)))(tensors, dy)
        .map((tensor) => tensor.dataSync());
    const exact = gradient(kernel);
    const derived = gradient(composition);
    names.forEach((name, i) => {
      const closeness = { ...GRADIENT, shape: kernelCase.inputs[name]!.shape };
      const differences = centralDifferences(kernelCase, name, weights.data);
      expect(exact[i], `gradient of ${name} against central differences`).toBeAllClose(
        differences,
        closeness,
      );
      expect(exact[i], `gradient of ${name} against tfjs`).toBeAllClose(derived[i]!, closeness);
    });
  });
}

/** Checks that forward and backward leave only their results behind. */
export async function checkOwnership(kernelCase: KernelCase): Promise<void> {
  const { names, tensors } = openInputs(kernelCase);
  const { kernel, constants } = kernelCase.open();
  const dy = toTensor(cotangent(kernelCase));
  const backward = tf.grads((...xs: tf.Tensor[]) => kernel(named(names, xs)));
  await withoutLeaks(() => {
    kernel(named(names, tensors)).dispose();
    tf.dispose(backward(tensors, dy));
  });
  tf.dispose([...tensors, ...constants, dy]);
}

/** Declares the three tests of a case. */
export function testCase(kernelCase: KernelCase): void {
  it(`${kernelCase.title}: forward`, () => checkForward(kernelCase));
  it(`${kernelCase.title}: gradient of every input`, () => checkGradients(kernelCase));
  it(`${kernelCase.title}: leaves no tensor behind`, () => checkOwnership(kernelCase));
}
