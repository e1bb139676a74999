import * as tf from '@tensorflow/tfjs';

/** The keys and values of one layer for all tokens so far, float32 [B, S, G, d]; owned by the cache. */
export interface LayerCache {
  /** Adds the newest T tokens and gives all S of them; the results stay the cache's. */
  append(key: tf.Tensor4D, value: tf.Tensor4D): { key: tf.Tensor4D; value: tf.Tensor4D };
  /** Keeps these rows of the batch only. */
  keepRows(rows: readonly number[]): void;
  dispose(): void;
}

/** An empty cache for each layer; the caller disposes them. */
export function layerCaches(layers: number): LayerCache[] {
  return Array.from({ length: layers }, layerCache);
}

function layerCache(): LayerCache {
  let held: { key: tf.Tensor4D; value: tf.Tensor4D } | null = null;
  const replace = (make: () => { key: tf.Tensor4D; value: tf.Tensor4D }) => {
    const next = tf.tidy(() => {
      const made = make();
      return { key: tf.keep(made.key), value: tf.keep(made.value) };
    });
    if (held) tf.dispose([held.key, held.value]);
    held = next;
    return next;
  };
  return {
    append: (key, value) =>
      replace(() =>
        held
          ? { key: tf.concat([held.key, key], 1), value: tf.concat([held.value, value], 1) }
          : { key: tf.clone(key), value: tf.clone(value) },
      ),
    keepRows(rows) {
      const index = tf.tensor1d([...rows], 'int32');
      replace(() => ({ key: tf.gather(held!.key, index), value: tf.gather(held!.value, index) }));
      index.dispose();
    },
    dispose() {
      if (held) tf.dispose([held.key, held.value]);
      held = null;
    },
  };
}
