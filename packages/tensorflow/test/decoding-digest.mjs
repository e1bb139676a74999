// Runs the operations of decoding: weights packed, few and many rows times a map, and steps through two layers.

const FORMATS = [32, 16, 8];
/** Rows that go channel by channel, and rows that go in panels. */
const BATCHES = [3, 20];
/** Rows of a token each, and the tokens of one row. */
const STEPS = [...BATCHES.map((batch) => [batch, 1]), ...BATCHES.map((count) => [1, count])];

/** @param tools how fused-digest.mjs makes tensors, and runs operations into its digest */
export function digestDecoding({ binding, run, floats, shares, digest }) {
  const integers = (...values) =>
    binding.createTensor([values.length], binding.TF_INT32, Int32Array.from(values));
  const packed = (bits, output, input) =>
    run('LatentPackWeights', [shares(output, input), integers(bits)], 1)[0];

  for (const bits of FORMATS) {
    const map = packed(bits, 1003, 333);
    for (const rows of BATCHES) run('LatentPackedProduct', [floats(rows, 333), map, integers(bits)], 1);
  }

  const [width, inner, heads, groups, head, room, used, layers] = [198, 1100, 6, 2, 34, 64, 41, 2];
  const shapes = [
    ...[heads, groups, groups].map((count) => [count * head, width]),
    [width, heads * head],
    ...[inner, inner].map((output) => [output, width]),
    [width, inner],
  ];
  for (const bits of FORMATS) {
    for (const [batch, count] of STEPS) {
      const tokens = batch * count;
      const maps = Array.from({ length: layers }, () => shapes.map((shape) => packed(bits, ...shape))).flat();
      const norms = Array.from({ length: 2 * layers + 1 }, () => floats(width));
      const caches = Array.from({ length: 2 * layers }, () => floats(batch, room, groups, head));
      const ranges = binding.createTensor(
        [batch, count, 3, 2],
        binding.TF_INT32,
        Int32Array.from({ length: 6 * tokens }, (_, i) => [0, Math.floor(i / 6), 30, used + 1, 0, 0][i % 6]),
      );
      const angles = [floats(tokens, 1, 1, head), floats(tokens, 1, 1, head)];
      const given = [
        floats(tokens, width),
        ...angles,
        ranges,
        integers(used, bits),
        ...maps,
        ...norms,
        ...caches,
      ];
      const attribute = (name, value) => ({ name, type: binding.TF_ATTR_INT, value });
      run('LatentDecoderStep', given, 1, [
        attribute('map_count', maps.length),
        attribute('norm_count', norms.length),
        attribute('cache_count', caches.length),
        { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 1e-5 },
      ]);
      // written in place
      for (const cache of caches) digest(cache);
    }
  }
}
