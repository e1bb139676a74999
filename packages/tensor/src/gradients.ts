import * as tf from '@tensorflow/tfjs';
import { record, type TapeNode, tensorsSoFar } from './recording.js';

/**
 * A value and its gradients by the inputs, to the bit those of `tf.valueAndGrads`. That function keeps every gradient
 * of an intermediate result, and all that the forward pass saved, until the backward pass has ended; here each is freed
 * after its last use, so that memory holds the forward pass, and of the backward pass what is under way.
 *
 * @param compute a function of the inputs and of constants
 * @param outputGradient the gradient of the value, of its shape; ones if absent
 * @returns the gradients in the order of the inputs, null where the value does not depend on one; the caller disposes
 *   them and the value.
 * @throws if it is called where a gradient is being recorded: there are first gradients only.
 * @throws if an operation on the way has no gradient.
 */
export function valueAndGradients<T extends tf.Tensor>(
  compute: () => T,
  inputs: readonly tf.Tensor[],
  outputGradient?: tf.Tensor,
): { value: T; gradients: (tf.Tensor | null)[] } {
  const { value, tape } = record(compute, inputs);
  try {
    const path = pathBetween(tape, inputs, value);
    const onPath = new Set(path.map(({ saved }) => saved));
    for (const { saved } of tape) if (!onPath.has(saved)) tf.dispose([...saved]);
    const start = outputGradient ? tf.clone(outputGradient) : tf.ones(value.shape);
    return { value, gradients: backpropagated(path, inputs, value, start) };
  } catch (error) {
    value.dispose();
    throw error;
  } finally {
    for (const { saved } of tape) tf.dispose([...saved]);
  }
}

/** The operations between inputs and value, each with only the inputs that depend on ours. */
function pathBetween(tape: readonly TapeNode[], inputs: readonly tf.Tensor[], value: tf.Tensor): TapeNode[] {
  const dependent = new Set(inputs.map(({ id }) => id));
  const fromInputs: TapeNode[] = [];
  for (const node of tape) {
    const used: Record<string, tf.Tensor> = {};
    let reached = false;
    for (const name in node.inputs) {
      const input = node.inputs[name]!;
      if (!dependent.has(input.id)) continue;
      used[name] = input;
      reached = true;
    }
    if (!reached) continue;
    for (const { id } of node.outputs) dependent.add(id);
    fromInputs.push({ ...node, inputs: used });
  }
  const leading = new Set([value.id]);
  const path = fromInputs.reverse().filter((node) => {
    const leads = node.outputs.some(({ id }) => leading.has(id));
    if (leads) for (const name in node.inputs) leading.add(node.inputs[name]!.id);
    return leads;
  });
  return path.reverse();
}

/** Walks the path backwards; a gradient is freed once the operation that made its tensor has read it. */
function backpropagated(
  path: readonly TapeNode[],
  inputs: readonly tf.Tensor[],
  value: tf.Tensor,
  start: tf.Tensor,
): (tf.Tensor | null)[] {
  const gradients = new Map([[value.id, start]]);
  try {
    for (const node of [...path].reverse()) {
      const read = node.outputs.map(({ id }) => gradients.get(id) ?? null);
      const names = Object.keys(node.inputs);
      const made = tf.tidy(() => gradientsOf(node, read));
      names.forEach((name, i) => {
        add(gradients, node.inputs[name]!.id, made[i]!);
      });
      for (const { id } of node.outputs) gradients.delete(id);
      tf.dispose([...read.filter((gradient) => gradient !== null), ...node.saved]);
    }
  } catch (error) {
    tf.dispose([...gradients.values()]);
    throw error;
  }
  const wanted = new Map(inputs.map(({ id }) => [id, gradients.get(id) ?? null]));
  for (const [id, gradient] of gradients) if (!wanted.has(id)) gradient.dispose();
  const given = new Set<number>();
  return inputs.map(({ id }) => {
    const gradient = wanted.get(id)!;
    if (gradient === null || !given.has(id)) {
      given.add(id);
      return gradient;
    }
    return tf.clone(gradient);
  });
}

/** The gradients of a node's inputs, in their order; each is a tensor of its own that no one else disposes. */
function gradientsOf(node: TapeNode, read: readonly (tf.Tensor | null)[]): tf.Tensor[] {
  if (!node.gradient) {
    throw new Error(`valueAndGradients: expected a gradient of ${node.kernelName}, got none`);
  }
  const before = tensorsSoFar();
  const makers = node.gradient(read);
  const taken = new Set<tf.Tensor>();
  return Object.entries(node.inputs).map(([name, input]) => {
    const maker = makers[name];
    if (!maker) {
      const all = Object.keys(makers).join(', ');
      throw new Error(`valueAndGradients: ${node.kernelName}: expected a gradient of ${name}, got ${all}`);
    }
    const made = tf.tidy(maker);
    if (made.dtype !== 'float32' || !tf.util.arraysEqual(made.shape, input.shape)) {
      throw new Error(
        `valueAndGradients: ${node.kernelName}: expected a gradient float32 [${input.shape}] of ${name}, got ` +
          `${made.dtype} [${made.shape}]`,
      );
    }
    // what the node read has owners of its own, and the same tensor may be the gradient of two inputs
    const own = made.id < before || taken.has(made) || made.kept ? tf.clone(made) : made;
    taken.add(own);
    return own;
  });
}

/** Adds a gradient to what a tensor has; both are used up. */
function add(gradients: Map<number, tf.Tensor>, id: number, more: tf.Tensor): void {
  const before = gradients.get(id);
  gradients.set(id, before ? tf.add(before, more) : more);
  if (before) tf.dispose([before, more]);
}
