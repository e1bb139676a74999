// Runs every fused operation on fixed inputs, large enough to be shared among threads, and prints one digest of all
// results. Plain JavaScript, because it runs in processes of its own: node fused-digest.mjs BINDING ADDON
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { digestDecoding } from './decoding-digest.mjs';

const require = createRequire(import.meta.url);
const [binding] = process.argv.slice(2).map((file) => require(file));
const hash = createHash('sha256');
let state = 1;

const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const size = (shape) => shape.reduce((product, length) => product * length, 1);
const floats = (...shape) =>
  binding.createTensor(
    shape,
    binding.TF_FLOAT,
    Float32Array.from({ length: size(shape) }, () => random() * 4 - 2),
  );
const shares = (...shape) =>
  binding.createTensor(
    shape,
    binding.TF_FLOAT,
    Float32Array.from({ length: size(shape) }, () => random() / 8),
  );
const ids = (below, ...shape) =>
  binding.createTensor(
    shape,
    binding.TF_INT32,
    Int32Array.from({ length: size(shape) }, () => Math.floor(random() * below)),
  );
const flag = (name, value) => ({ name, type: binding.TF_ATTR_BOOL, value });
const integer = (name, value) => ({ name, type: binding.TF_ATTR_INT, value });

// The last output may hold gaps, which are any numbers, where it is read by a gradient alone.
function run(name, inputs, outputs, attributes = [], hashed = outputs) {
  const results = binding.executeOp(name, attributes, inputs, outputs).map(({ id }) => id);
  for (const id of results.slice(0, hashed)) hash.update(new Uint8Array(binding.tensorDataSync(id).buffer));
  return results;
}

const bytes = (id) => Buffer.from(binding.tensorDataSync(id).buffer);

// Threads that write over each other's memory do so now and then.
const repeats = Number(process.env.REPEATS ?? 10);
function runOften(name, inputs, outputs, attributes) {
  const first = run(name, inputs, outputs, attributes).map(bytes);
  for (let i = 1; i < repeats; i++) {
    const again = binding.executeOp(name, attributes, inputs, outputs).map(({ id }) => bytes(id));
    again.forEach((result, output) => {
      if (!result.equals(first[output])) throw new Error(`${name}: output ${output} changed in run ${i}`);
    });
  }
}

function attention(batch, queries, heads, groups, width) {
  const ranges = binding.createTensor(
    [batch, queries, 3, 2],
    binding.TF_INT32,
    Int32Array.from({ length: batch * queries * 6 }, (_, i) => {
      const query = Math.floor(i / 6) % queries;
      return [0, Math.ceil(query / 3), Math.ceil(query / 2), query, query, query + 1][i % 6];
    }),
  );
  const query = floats(batch, queries, heads, width);
  const read = [query, floats(batch, queries, groups, width), floats(batch, queries, groups, width), ranges];
  const made = run('LatentAttention', read, 2);
  run('LatentAttentionGradient', [...read, ...made, floats(batch, queries, heads, width)], 3);
}

attention(16, 61, 6, 3, 20);
attention(1, 700, 4, 1, 32);

const wide = () => floats(777, 333);
const gated = [wide(), wide()];
run('LatentSwiglu', gated, 1);
run('LatentSwigluGradient', [...gated, wide()], 2);

const normed = [wide(), floats(333)];
const [, inverse] = run('LatentRmsNorm', normed, 2, [
  { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 1e-5 },
]);
run('LatentRmsNormGradient', [...normed, inverse, wide()], 2);

const turned = [floats(16, 61, 5, 48), floats(16, 61, 1, 48), floats(16, 61, 1, 48)];
run('LatentRotary', turned, 1, [flag('backwards', false)]);
run('LatentRotary', turned, 1, [flag('backwards', true)]);

const draw = binding.createTensor([5], binding.TF_INT32, Int32Array.of(2 ** 29, 3, 0, 12345, -678910));
const scale = binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1.25));
run('LatentDropout', [wide(), draw, scale], 1);

const settings = binding.createTensor(
  [6],
  binding.TF_FLOAT,
  Float32Array.of(0.9, 0.95, 1e-8, 0.01, 0.001, 1),
);
const moved = [floats(300, 1000), floats(77)];
const moments = [floats(300_077), shares(300_077)];
const norms = run(
  'LatentAdamW',
  [...moved, floats(300, 1000), floats(77), ...moments, ids(2, 2), floats(1), settings],
  1,
  [{ name: 'count', type: binding.TF_ATTR_INT, value: 2 }],
);
for (const id of [...moved, ...moments, ...norms])
  hash.update(new Uint8Array(binding.tensorDataSync(id).buffer));

// halves of a layer: full weights, and adapters that drop
const epsilon = { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: 1e-5 };
for (const [rank, weights] of [
  [0, true],
  [5, false],
]) {
  const [rows, width, inner, heads, groups, head] = [493, 72, 136, 4, 2, 18];
  const weightsOf = (maps) => maps.map((shape) => shares(...shape));
  const adapters = (maps) => {
    if (rank === 0) return [];
    const count = 5 * maps.length;
    const words = Int32Array.from({ length: count }, (_, i) => [2 ** 29, 3, 0, 12345, -6789][i % 5] + i);
    const one = (x) => binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(x));
    const beside = maps.flatMap(([output, input]) => [shares(rank, input), shares(output, rank)]);
    return [...beside, one(2), binding.createTensor([count], binding.TF_INT32, words), one(1.25)];
  };
  const lists = (maps) => [
    integer('adapter_count', rank > 0 ? 2 * maps.length + 1 : 0),
    integer('draw_count', rank > 0 ? 1 : 0),
  ];
  const gradientsOf = (maps) => 1 + (weights ? 1 + maps.length : 0) + (rank > 0 ? 2 * maps.length : 0);
  const backwards = (maps) => [
    ...[flag('weights', weights), integer('gradient_count', gradientsOf(maps))],
    ...lists(maps),
  ];
  const before = [floats(rows, width), floats(width)];
  const fed = [
    [inner, width],
    [inner, width],
    [width, inner],
  ];
  const forward = [...before, ...weightsOf(fed), ...adapters(fed)];
  const [, kept] = run('LatentFeedForward', forward, 2, [epsilon, ...lists(fed)], 1);
  const fedBack = [...forward, kept, floats(rows, width)];
  runOften('LatentFeedForwardGradient', fedBack, gradientsOf(fed), backwards(fed));

  const ranges = binding.createTensor(
    [1, rows, 3, 2],
    binding.TF_INT32,
    Int32Array.from({ length: rows * 6 }, (_, i) => {
      const query = Math.floor(i / 6);
      return [0, Math.ceil(query / 3), Math.ceil(query / 2), query, query, query + 1][i % 6];
    }),
  );
  const maps = [
    [heads * head, width],
    [groups * head, width],
    [groups * head, width],
    [width, heads * head],
  ];
  const attended = [
    ...[...before, ...weightsOf(maps)],
    ...[floats(1, rows, 1, head), floats(1, rows, 1, head), ranges],
  ];
  const beside = adapters(maps);
  // all rows, and some of them
  for (const [selected, count] of [
    [false, rows],
    [true, 301],
  ]) {
    const read = Int32Array.from({ length: selected ? count : 0 }, (_, i) => (i * 5) % rows);
    const chosen = selected ? [binding.createTensor([read.length], binding.TF_INT32, read)] : [];
    const inputs = [...attended, ...chosen, ...beside];
    const choice = integer('read_count', chosen.length);
    const [, ...held] = run('LatentAttentionBlock', inputs, 4, [epsilon, choice, ...lists(maps)], 3);
    const all = [...inputs, ...held, floats(count, width)];
    runOften('LatentAttentionBlockGradient', all, gradientsOf(maps), [...backwards(maps), choice]);
  }
}

const logits = floats(500, 1001);
const labels = [ids(1001, 500, 1), shares(500, 1)];
run('LatentCrossEntropy', [logits, ids(1001, 500)], 2);
run('LatentFullKl', [logits, shares(500, 1001)], 2);
run('LatentSparseKl', [logits, ...labels], 2, [flag('tail', false)]);
run('LatentSparseKl', [logits, ...labels], 2, [flag('tail', true)]);
run('LatentScaleRows', [logits, floats(500)], 1);

for (const [rows, vocabulary, width] of [
  [1000, 37, 64],
  [300, 5003, 40],
]) {
  const read = [floats(rows, width), floats(vocabulary, width)];
  const factor = { name: 'scale', type: binding.TF_ATTR_FLOAT, value: 0.5 };
  const targets = ids(vocabulary, rows);
  const sparse = [...read, ids(vocabulary, rows, 1), shares(rows, 1)];
  const made = [
    [true, true],
    [true, false],
    [false, false],
  ].map(([slopes, keeps]) => {
    const wanted = [flag('slopes', slopes), flag('keeps', keeps)];
    run('LatentHeadCrossEntropy', [...read, targets], 4, wanted);
    return run('LatentHeadSparseKl', sparse, 4, [flag('tail', true), factor, ...wanted]);
  });
  const dy = floats(rows);
  for (const [, , state, logits] of made)
    run('LatentHeadTableGradient', [...read, targets, state, logits, dy], 1, [factor]);
}

const table = floats(400, 70);
const [alpha, tokens] = [floats(900, 10), ids(400, 900, 10)];
run('LatentGatherRows', [table, ids(400, 9000)], 1);
run('LatentPickRows', [table, floats(100, 70), ids(500, 9000)], 1);
run('LatentMixture', [alpha, tokens, table], 1);
run('LatentMixtureGradient', [floats(900, 70), tokens, table], 1);
run('LatentTableGradient', [table, tokens, alpha, floats(900, 70)], 1);
run('LatentTableGradient', [table, ids(400, 900), floats(0), floats(900, 70)], 1);

run('LatentTopWords', [floats(70, 5000), ids(9, 2)], 2, [integer('count', 10)]);
run('LatentHeadTopWords', [floats(300, 70), floats(9000, 70), ids(9, 2)], 2, [integer('count', 10)]);

const digest = (id) => hash.update(new Uint8Array(binding.tensorDataSync(id).buffer));
digestDecoding({ binding, run, floats, shares, digest });

console.log(hash.digest('hex'));
