import * as tf from '@tensorflow/tfjs';

/** One recorded operation. A gradient is called on a copy of its node whose inputs are those with a use for one. */
export interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  /** What the node keeps alive until its gradient is made: who walks the tape frees it. */
  readonly saved: readonly tf.Tensor[];
  gradient?: (
    this: TapeNode,
    outputGradients: readonly (tf.Tensor | null)[],
  ) => Record<string, () => tf.Tensor>;
}

/** What tfjs records for gradients; its engine has no public way to set it aside. */
interface EngineState {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
  /** Above 0 while a kernel runs, whose own operations are not recorded. */
  kernelDepth: number;
  readonly profiling: boolean;
  nextTapeNodeId: number;
}

const state = () => tf.engine().state as unknown as EngineState;

/** The first tensor of the recording under way, if that is ours and not tfjs's. */
let firstTensor: number | null = null;
/** What that recording differentiates by. */
let variables: ReadonlySet<number> = new Set();

/** The operation that was recorded last, if any is being recorded. */
export function lastRecorded(): TapeNode | undefined {
  return state().activeTape?.at(-1);
}

/** Whether operations are being recorded for a gradient. */
export function isRecording(): boolean {
  return state().gradientDepth > 0;
}

/** Whether a kernel that runs now is recorded, so that its backward pass may come. */
export function isRecorded(): boolean {
  const { gradientDepth, kernelDepth } = state();
  return gradientDepth > 0 && kernelDepth === 0;
}

/** A number between those of the tensors that exist and of those that will. */
export function tensorsSoFar(): number {
  return (tf.engine() as unknown as { nextTensorId(): number }).nextTensorId();
}

/** Whether a gradient of a tensor may be asked for: one from before the recording has none that is no variable of it. */
export function mayHaveGradient({ id }: tf.Tensor): boolean {
  return isRecorded() && (firstTensor === null || id >= firstTensor || variables.has(id));
}

/**
 * Runs a function on a tape of its own.
 *
 * @param inputs what will be differentiated by
 * @throws if something is being recorded already.
 */
export function record<T extends tf.Tensor>(
  compute: () => T,
  inputs: readonly tf.Tensor[],
): { value: T; tape: TapeNode[] } {
  const engine = state();
  if (isRecording()) {
    throw new Error('valueAndGradients: expected first gradients only, got gradients of one');
  }
  const { activeTape, gradientDepth } = engine;
  const before = { firstTensor, variables };
  const tape: TapeNode[] = [];
  Object.assign(engine, { activeTape: tape, gradientDepth: 1 });
  firstTensor = tensorsSoFar();
  variables = new Set(inputs.map(({ id }) => id));
  try {
    return { value: tf.tidy(compute), tape };
  } catch (error) {
    for (const { saved } of tape) tf.dispose([...saved]);
    throw error;
  } finally {
    Object.assign(engine, { activeTape, gradientDepth });
    ({ firstTensor, variables } = before);
  }
}

/** Whether a kernel may run beside tfjs's engine: where that neither records it nor watches what it does. */
export function isUnwatched(): boolean {
  const { profiling } = state();
  return (firstTensor !== null || !isRecorded()) && !profiling && !tf.env().getBool('DEBUG');
}

/** Runs a function as a kernel, whose own operations are not recorded. */
export function asKernel<T>(run: () => T): T {
  const engine = state();
  engine.kernelDepth++;
  try {
    return run();
  } finally {
    engine.kernelDepth--;
  }
}

/** Puts an operation on the tape of the recording under way. */
export function addToTape(node: TapeNode): void {
  const engine = state();
  engine.activeTape!.push(Object.assign(node, { id: engine.nextTapeNodeId++ }));
}

/**
 * A tensor that lives until the backward pass has read it: one from before the recording does by itself, as whoever
 * differentiates owns it; of another this is a second reference to the same numbers, which the caller frees.
 */
export function lasting(tensor: tf.Tensor): { readonly tensor: tf.Tensor; readonly owned: boolean } {
  if (firstTensor !== null && tensor.id < firstTensor) return { tensor, owned: false };
  const { dataId, shape, dtype } = tensor;
  tf.backend().incRef(dataId);
  return { tensor: tf.keep(tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype })), owned: true };
}
