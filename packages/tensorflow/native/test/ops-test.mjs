// Operations at sizes where a loop may run over an end: one row, one column, nothing at all, and what they must refuse.
// Runs in run-ops.sh, under sanitizers: node ops-test.mjs BINDING ADDON
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [binding] = process.argv.slice(2).map((file) => require(file));
let [ran, refused] = [0, 0];

const size = (shape) => shape.reduce((product, length) => product * length, 1);
const floats = (...shape) =>
  binding.createTensor(
    shape,
    binding.TF_FLOAT,
    Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i + 1)),
  );
const shares = (...shape) =>
  binding.createTensor(shape, binding.TF_FLOAT, new Float32Array(size(shape)).fill(0.05));
const ids = (below, ...shape) =>
  binding.createTensor(
    shape,
    binding.TF_INT32,
    Int32Array.from({ length: size(shape) }, (_, i) => i % below),
  );
const integers = (...values) =>
  binding.createTensor([values.length], binding.TF_INT32, Int32Array.from(values));
const attribute = (type) => (name, value) => ({ name, type, value });
const flag = attribute(binding.TF_ATTR_BOOL);
const count = attribute(binding.TF_ATTR_INT);
const number = attribute(binding.TF_ATTR_FLOAT);
const epsilon = number('epsilon', 1e-5);

function run(name, inputs, outputs, attributes = []) {
  const results = binding.executeOp(name, attributes, inputs, outputs).map(({ id }) => id);
  for (const id of results) binding.tensorDataSync(id);
  ran++;
  return results;
}

/** Runs what must be refused, by an error and not by reading beyond an end. */
function refuse(name, inputs, outputs, attributes = []) {
  try {
    run(name, inputs, outputs, attributes);
  } catch {
    refused++;
    return;
  }
  throw new Error(`expected ${name} to refuse its inputs`);
}

const causal = (batch, length) =>
  binding.createTensor(
    [batch, length, 3, 2],
    binding.TF_INT32,
    Int32Array.from({ length: batch * length * 6 }, (_, i) =>
      i % 6 === 1 ? (Math.floor(i / 6) % length) + 1 : 0,
    ),
  );

for (const rows of [0, 1, 2, 17]) {
  for (const width of [2, 6, 18]) {
    const x = () => floats(rows, width);
    run('LatentSwiglu', [x(), x()], 1);
    run('LatentSwigluGradient', [x(), x(), x()], 2);
    const normed = [x(), floats(width)];
    const [, inverse] = run('LatentRmsNorm', normed, 2, [epsilon]);
    run('LatentRmsNormGradient', [...normed, inverse, x()], 2);

    // without adapters; with one beside each map but the first; and with what drops some of what these see
    const adapter = (output, input, rank) => [floats(rank, input), floats(output, rank)];
    const words = (maps) => integers(...Array.from({ length: 5 * maps }, (_, i) => 2 ** (30 - (i % 5)) + i));
    for (const [adapted, drops] of [
      [false, false],
      [true, false],
      [true, true],
    ]) {
      const beside = (maps) => [
        ...(adapted ? maps.flatMap(([output, input], i) => adapter(output, input, i === 0 ? 0 : 3)) : []),
        ...(adapted ? [floats(1)] : []),
        ...(drops ? [words(maps.length), floats(1)] : []),
      ];
      const lists = (maps) => [
        count('adapter_count', adapted ? 2 * maps.length + 1 : 0),
        count('draw_count', drops ? 1 : 0),
      ];
      const back = (maps, weights = true) => {
        const made = 1 + (weights ? 1 + maps.length : 0) + (adapted ? 2 * maps.length : 0);
        return [made, [flag('weights', weights), count('gradient_count', made), ...lists(maps)]];
      };

      const fed = [
        [5, width],
        [5, width],
        [width, 5],
      ];
      const forward = [...normed, ...fed.map((shape) => floats(...shape)), ...beside(fed)];
      const settings = [epsilon, ...lists(fed)];
      const [, kept] = run('LatentFeedForward', forward, 2, settings);
      for (const weights of [true, false])
        run('LatentFeedForwardGradient', [...forward, kept, x()], ...back(fed, weights));
      const [made, attributes] = back(fed);
      const fewer = [
        count('gradient_count', made - 1),
        ...attributes.filter(({ name }) => name !== 'gradient_count'),
      ];
      refuse('LatentFeedForwardGradient', [...forward, kept, x()], made - 1, fewer);
      refuse('LatentFeedForwardGradient', [...forward, floats(1), x()], made, attributes);
      refuse('LatentFeedForward', [...normed, floats(5, width + 1), ...forward.slice(3)], 2, settings);
      if (adapted) {
        const shorter = [epsilon, count('adapter_count', 6), count('draw_count', drops ? 1 : 0)];
        refuse('LatentFeedForward', [...forward.slice(0, 5), ...forward.slice(6)], 2, shorter);
      }

      const maps = [
        [4, width],
        [2, width],
        [2, width],
        [width, 4],
      ];
      const angles = [floats(1, rows, 1, 2), floats(1, rows, 1, 2)];
      const attended = [...normed, ...maps.map((shape) => floats(...shape)), ...angles];
      const every = [epsilon, count('read_count', 0), ...lists(maps)];
      const all = [...attended, causal(1, rows), ...beside(maps)];
      const held = run('LatentAttentionBlock', all, 4, every).slice(1);
      for (const weights of [true, false]) {
        const [made, attributes] = back(maps, weights);
        const reading = [...attributes, count('read_count', 0)];
        run('LatentAttentionBlockGradient', [...all, ...held, x()], made, reading);
      }
      const other = [...attended, causal(1, rows + 1), ...beside(maps)];
      refuse('LatentAttentionBlock', other, 4, every);

      const selected = [epsilon, count('read_count', 1), ...lists(maps)];
      const choosing = (read) => [...attended, causal(1, rows), integers(...read), ...beside(maps)];
      for (const read of [[], [rows - 1], [...Array(rows).keys()].reverse()]) {
        if (read[0] < 0) continue;
        const some = choosing(read);
        const kept = run('LatentAttentionBlock', some, 4, selected).slice(1);
        const [made, attributes] = back(maps);
        const reading = [...attributes, count('read_count', 1)];
        const dy = floats(read.length, width);
        run('LatentAttentionBlockGradient', [...some, ...kept, dy], made, reading);
        const more = [...some, ...kept, floats(read.length + 1, width)];
        refuse('LatentAttentionBlockGradient', more, made, reading);
      }
      for (const read of [[rows], [-1], [0, 0]]) refuse('LatentAttentionBlock', choosing(read), 4, selected);
    }

    for (const vocabulary of [1, 3, 100]) {
      const read = [x(), floats(vocabulary, width)];
      const targets = ids(vocabulary, rows);
      const labels = [ids(vocabulary, rows, 1), shares(rows, 1)];
      const wanted = (slopes, keeps) => [flag('slopes', slopes), flag('keeps', keeps)];
      for (const kept of [wanted(false, false), wanted(true, false), wanted(true, true)]) {
        run('LatentHeadCrossEntropy', [...read, targets], 4, kept);
        for (const tail of [false, true]) {
          const settings = [flag('tail', tail), number('scale', 1), ...kept];
          const [, , state, logits] = run('LatentHeadSparseKl', [...read, ...labels], 4, settings);
          const back = [...read, labels[0], state, logits, floats(rows)];
          run('LatentHeadTableGradient', back, 1, [number('scale', 1)]);
        }
        if (rows === 0) continue;
        const [, , state] = run('LatentHeadCrossEntropy', [...read, targets], 4, kept);
        const other = [...read, targets, state, floats(rows, vocabulary + 1), floats(rows)];
        refuse('LatentHeadTableGradient', other, 1, [number('scale', 1)]);
      }
      refuse('LatentHeadCrossEntropy', [...read, ids(1, rows + 1)], 4, wanted(true, false));
      if (rows > 0) {
        const beyond = binding.createTensor([rows], binding.TF_INT32, new Int32Array(rows).fill(vocabulary));
        refuse('LatentHeadCrossEntropy', [...read, beyond], 4, wanted(true, false));
      }
    }

    for (const vocabulary of [1, 3, 100, 5000]) {
      for (const chosen of [1, Math.min(vocabulary, 12)]) {
        run('LatentTopWords', [floats(rows, vocabulary), ids(2, 3)], 2, [count('count', chosen)]);
        run('LatentHeadTopWords', [x(), floats(vocabulary, width), ids(2, 0)], 2, [count('count', chosen)]);
      }
      refuse('LatentTopWords', [floats(rows, vocabulary), ids(2, 0)], 2, [count('count', vocabulary + 1)]);
      refuse('LatentHeadTopWords', [x(), floats(3, width + 1), ids(2, 0)], 2, [count('count', 1)]);
    }

    for (const bits of [32, 16, 8]) {
      const [words] = run('LatentPackWeights', [floats(7, width), integers(bits)], 1);
      run('LatentPackedProduct', [x(), words, integers(bits)], 1);
      refuse('LatentPackedProduct', [floats(rows, width + 100), words, integers(bits)], 1);
    }
  }
}

/** A step through one layer, on caches of which `used` rows are taken. */
function step(batch, used, bits, room = 3) {
  const [width, wide, narrow, inner, head] = [10, 8, 4, 7, 4];
  const shapes = [
    ...[wide, narrow, narrow].map((output) => [output, width]),
    [width, wide],
    ...[inner, inner].map((output) => [output, width]),
    [width, inner],
  ];
  const maps = shapes.map((shape) => run('LatentPackWeights', [floats(...shape), integers(bits)], 1)[0]);
  const caches = [0, 1].map(() => floats(batch, room, 1, head));
  const ranges = binding.createTensor(
    [batch, 1, 3, 2],
    binding.TF_INT32,
    Int32Array.from({ length: 6 * batch }, (_, i) => (i % 6 === 1 ? used + 1 : 0)),
  );
  const angles = [floats(batch, 1, 1, head), floats(batch, 1, 1, head)];
  const norms = [0, 1, 2].map(() => floats(width));
  const given = [floats(batch, width), ...angles, ranges, integers(used, bits), ...maps, ...norms, ...caches];
  const counts = [count('map_count', 7), count('norm_count', 3), count('cache_count', 2), epsilon];
  return ['LatentDecoderStep', given, 1, counts];
}
for (const bits of [32, 16, 8]) {
  for (const batch of [0, 1, 5, 16, 33]) {
    run(...step(batch, 0, bits));
    // the last row of a cache, and the one behind it
    run(...step(batch, 2, bits));
    refuse(...step(batch, 3, bits));
  }
}

console.log(`${ran} runs and ${refused} refusals without a sanitizer's word`);
