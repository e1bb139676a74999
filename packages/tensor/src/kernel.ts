import * as tf from '@tensorflow/tfjs';
import {
  addToTape,
  asKernel,
  isRecorded,
  isUnwatched,
  lasting,
  lastRecorded,
  type TapeNode,
} from './recording.js';

/** Tensors by name: a kernel's inputs, of which some may be left out, or the gradients of them. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** A kernel's plain settings: numbers and flags, never tensors. */
export type KernelAttributes = Readonly<Record<string, number | boolean>>;

/** What a kernel's backward pass may read. */
export interface BackwardContext {
  /** Gradients of the outputs, one per output; of one that nothing depends on it is 0, and made if it is read. */
  readonly outputGradients: readonly tf.Tensor[];
  /** The inputs that the kernel saves. */
  readonly inputs: NamedTensors;
  /** The outputs that the kernel saves, at their own places. */
  readonly outputs: readonly tf.Tensor[];
  readonly attributes: KernelAttributes;
  /** The inputs whose gradients will be asked for; the others need none. */
  readonly wanted: ReadonlySet<string>;
}

/** One way to run a kernel: forward, and the exact gradient of each differentiable input. */
export interface KernelImplementation {
  forward(inputs: NamedTensors, attributes: KernelAttributes): tf.Tensor[];
  backward(context: BackwardContext): Readonly<Record<string, () => tf.Tensor>>;
}

/** A named operation with a composition of tfjs operations that every backend can run. */
export interface Kernel {
  readonly name: string;
  readonly inputs: readonly string[];
  /** Those of the inputs that may be left out; default none. */
  readonly optional?: readonly string[];
  readonly outputs: number;
  /** What is kept alive for the backward pass, of every implementation; the rest may be freed before it. */
  readonly saved: { readonly inputs: readonly string[]; readonly outputs: readonly number[] };
  /** Null where the function that runs the kernel composes others wherever it is not fused. */
  readonly composition: KernelImplementation | null;
}

const kernels = new Map<string, Kernel>();
/** By backend, then by kernel. */
const overrides = new Map<string, Map<string, KernelImplementation>>();
const registered = new Set<string>();

/**
 * Declares a kernel; its composition becomes the implementation on every backend without a fused one.
 *
 * @throws if a kernel of that name exists already.
 */
export function defineKernel(kernel: Kernel): Kernel {
  if (kernels.has(kernel.name))
    throw new Error(`defineKernel: expected a new kernel name, got ${kernel.name} twice`);
  kernels.set(kernel.name, kernel);
  tf.registerGradient({
    kernelName: kernel.name,
    inputsToSave: [...kernel.saved.inputs],
    outputsToSave: Array.from({ length: kernel.outputs }, (_, i) => kernel.saved.outputs.includes(i)),
    gradFunc: (dy, saved, attributes) =>
      gradientsOf(kernel, {
        outputGradients: Array.isArray(dy) ? dy : [dy],
        names: kernel.saved.inputs,
        saved,
        attributes: attributes as KernelAttributes,
        wanted: new Set(kernel.inputs),
      }),
  });
  return kernel;
}

/** The names of all kernels, in the order of their definition. */
export function kernelNames(): string[] {
  return [...kernels.keys()];
}

/**
 * Makes every named kernel callable on a backend: the fused implementation where one was given, the
 * composition elsewhere.
 */
export function registerKernels(backend: string): void {
  for (const kernel of kernels.values()) {
    const key = `${backend}/${kernel.name}`;
    if (registered.has(key)) continue;
    tf.registerKernel({
      kernelName: kernel.name,
      backendName: backend,
      kernelFunc: ({ inputs, attrs }) =>
        implementationOf(kernel, backend).forward(
          inputs as unknown as NamedTensors,
          (attrs ?? {}) as unknown as KernelAttributes,
        ),
    });
    registered.add(key);
  }
}

/**
 * Gives one backend its own implementation of a kernel, with the composition as its reference.
 *
 * @returns a function that takes the implementation back: what ran before it runs again.
 * @throws if no kernel has that name.
 */
export function overrideKernel(
  name: string,
  backend: string,
  implementation: KernelImplementation,
): () => void {
  if (!kernels.has(name)) {
    throw new Error(`overrideKernel: expected one of ${kernelNames().join(', ')}, got ${name}`);
  }
  const ofBackend = overrides.get(backend) ?? new Map<string, KernelImplementation>();
  overrides.set(backend, ofBackend);
  const before = ofBackend.get(name);
  ofBackend.set(name, implementation);
  return () => {
    if (before) ofBackend.set(name, before);
    else ofBackend.delete(name);
  };
}

function overrideOf(kernel: Kernel, backend: string): KernelImplementation | undefined {
  return overrides.get(backend)?.get(kernel.name);
}

/** Whether the current backend has its own implementation of a kernel. */
export function isOverridden(kernel: Kernel): boolean {
  return overrideOf(kernel, tf.getBackend()) !== undefined;
}

/**
 * Runs a kernel on the current backend, recording it for gradients.
 *
 * @throws if an input is missing that may not be left out.
 */
export function runKernel(
  kernel: Kernel,
  inputs: NamedTensors,
  attributes: KernelAttributes = {},
): tf.Tensor[] {
  const missing = kernel.inputs.find((name) => !inputs[name] && !kernel.optional?.includes(name));
  if (missing) {
    const given = Object.keys(inputs).join(', ') || 'none';
    throw new Error(`runKernel: expected an input ${missing} of ${kernel.name}, got ${given}`);
  }
  const backend = tf.getBackend();
  if (isOverridden(kernel) && isUnwatched()) return runFused(kernel, inputs, attributes);
  if (!registered.has(`${backend}/${kernel.name}`)) registerKernels(backend);
  const all = withAbsent(kernel, inputs);
  const given: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(kernel.name, all as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  const outputs = Array.isArray(given) ? given : [given];
  // The operation that was just recorded gets a gradient that knows which inputs need one. It takes the place of tfjs's
  // own, which fills an array of zeros for each output that a kernel keeps for its backward pass and nobody else reads.
  const node = lastRecorded();
  if (node?.gradient && node.outputs.includes(outputs[0]!)) {
    node.gradient = gradientFrom(kernel, attributes, kernel.saved.inputs, node.saved);
  }
  return outputs;
}

/** The inputs with an empty float32 tensor for each that is left out: tfjs's engine saves all that a kernel names. */
function withAbsent(kernel: Kernel, inputs: NamedTensors): NamedTensors {
  if (kernel.inputs.every((name) => inputs[name])) return inputs;
  return Object.fromEntries(kernel.inputs.map((name) => [name, inputs[name] ?? tf.tensor1d([])]));
}

/**
 * Runs a fused kernel beside tfjs's engine, which would make a second reference to each tensor that a kernel saves, one
 * kernel call each: of a block of a small model they take as long as the block.
 */
function runFused(kernel: Kernel, inputs: NamedTensors, attributes: KernelAttributes): tf.Tensor[] {
  const implementation = implementationOf(kernel, tf.getBackend());
  const outputs = asKernel(() => implementation.forward(inputs, attributes));
  if (!isRecorded()) return outputs;
  const names = kernel.saved.inputs.filter((name) => inputs[name]);
  const saved = [
    ...names.map((name) => lasting(inputs[name]!)),
    ...kernel.saved.outputs.map((output) => lasting(outputs[output]!)),
  ];
  const own = saved.filter(({ owned }) => owned).map(({ tensor }) => tensor);
  const gradient = gradientFrom(
    kernel,
    attributes,
    names,
    saved.map(({ tensor }) => tensor),
  );
  addToTape({ kernelName: kernel.name, inputs, outputs, saved: own, gradient });
  return outputs;
}

/** The gradient of a recorded operation, of those of its inputs that its node has; the named ones were saved. */
function gradientFrom(
  kernel: Kernel,
  attributes: KernelAttributes,
  names: readonly string[],
  saved: readonly tf.Tensor[],
): NonNullable<TapeNode['gradient']> {
  return function (given) {
    const outputGradients = given.map((gradient) => gradient!);
    given.forEach((gradient, i) => {
      const { shape } = this.outputs[i]!;
      if (!gradient) Object.defineProperty(outputGradients, i, { get: () => tf.zeros(shape) });
    });
    const wanted = new Set(Object.keys(this.inputs));
    return gradientsOf(kernel, { outputGradients, names, saved, attributes, wanted });
  };
}

/** The gradients of a kernel's inputs, from what it saved: inputs, then outputs. */
function gradientsOf(
  kernel: Kernel,
  {
    names,
    saved,
    ...given
  }: Pick<BackwardContext, 'outputGradients' | 'attributes' | 'wanted'> & {
    readonly names: readonly string[];
    readonly saved: readonly tf.Tensor[];
  },
): Record<string, () => tf.Tensor> {
  const inputs = Object.fromEntries(names.map((name, i) => [name, saved[i]!]));
  const outputs: tf.Tensor[] = [];
  kernel.saved.outputs.forEach((output, i) => {
    outputs[output] = saved[names.length + i]!;
  });
  const gradients = implementationOf(kernel, tf.getBackend()).backward({ ...given, inputs, outputs });
  const noGradient = (name: string) => () => {
    throw new Error(`${kernel.name}: expected a differentiable input, got ${name}`);
  };
  return Object.fromEntries(kernel.inputs.map((name) => [name, gradients[name] ?? noGradient(name)]));
}

function implementationOf(kernel: Kernel, backend: string): KernelImplementation {
  const chosen = overrideOf(kernel, backend) ?? kernel.composition;
  if (!chosen) throw new Error(`${kernel.name}: expected a fused implementation on ${backend}, got none`);
  return {
    forward: (inputs, attributes) => tf.tidy(() => chosen.forward(inputs, attributes)),
    backward: (context) => chosen.backward(context),
  };
}
