/** One float32 tensor outside the engine: row-major values and their shape. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
