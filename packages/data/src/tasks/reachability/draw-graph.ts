import type { RandomDraws } from '@latent-sft/random';

/** An acyclic graph in which an edge leads from a smaller node to a greater one; nodes 0 and 1 are the roots. */
export interface Graph {
  readonly parents: readonly (readonly number[])[];
  readonly children: readonly (readonly number[])[];
  /** Which roots a node descends from (or is): bit 0 for node 0, bit 1 for node 1. */
  readonly ancestry: readonly number[];
}

// The procedure is the one that arXiv 2412.06769 (appendix A) describes for ProsQA: each new node draws its parents
// among the nodes that are no descendants of one root, or of the other, or among all, deep ones being likelier.
// The numbers are fitted to the published validation file; test/reachability.test.ts compares them.
const LEAST_NODES = 17;
const MOST_NODES = 28;
const NODE_TRIALS = 16;
const NODE_CHANCE = 0.455;
const PARENTLESS_CHANCE = 0.09;
const POISSON_MEAN = 1.45;
/** mean / (exp(mean) - 1), written out: Math.exp may differ by machine. */
const ONE_PARENT_SHARE = 0.4443608;
const FIRST_ROOT_ONLY = 0.35;
const ONE_ROOT_ONLY = 0.82;
const WEIGHT_PER_DEPTH = 1.3;
const UNROOTED_WEIGHT = 0.1;

interface GrowingGraph {
  readonly parents: number[][];
  readonly ancestry: number[];
  /** Edges of the shortest way from a node without parents. */
  readonly depth: number[];
}

/** A graph with the size, degrees and depth of ProsQA's. */
export function drawGraph(random: RandomDraws): Graph {
  for (;;) {
    const growing: GrowingGraph = { parents: [[], []], ancestry: [1, 2], depth: [0, 0] };
    const nodes = drawNodeCount(random);
    while (growing.parents.length < nodes) addNode(growing, drawParents(random, growing));
    const graph = withoutIsolatedNodes(growing);
    const size = graph.parents.length;
    const rooted = graph.children[0]!.length > 0 && graph.children[1]!.length > 0;
    if (rooted && size >= LEAST_NODES && size <= MOST_NODES) return graph;
  }
}

function drawNodeCount(random: RandomDraws): number {
  let nodes = LEAST_NODES;
  for (let trial = 0; trial < NODE_TRIALS; trial++) if (random.uniform() < NODE_CHANCE) nodes++;
  return nodes;
}

function addNode({ parents, ancestry, depth }: GrowingGraph, chosen: number[]): void {
  parents.push(chosen.sort((left, right) => left - right));
  ancestry.push(chosen.reduce((bits, parent) => bits | ancestry[parent]!, 0));
  depth.push(chosen.length === 0 ? 0 : 1 + Math.min(...chosen.map((parent) => depth[parent]!)));
}

function drawParents(random: RandomDraws, { ancestry, depth }: GrowingGraph): number[] {
  const count = random.uniform() < PARENTLESS_CHANCE ? 0 : drawParentCount(random);
  const side = random.uniform();
  const excluded = side < FIRST_ROOT_ONLY ? 2 : side < ONE_ROOT_ONLY ? 1 : 0;
  const candidates = ancestry.flatMap((bits, node) => {
    if ((bits & excluded) !== 0) return [];
    const weight = (WEIGHT_PER_DEPTH * depth[node]! + 1) * (bits === 0 ? UNROOTED_WEIGHT : 1);
    return [{ node, weight }];
  });

  const chosen: number[] = [];
  while (chosen.length < count && candidates.length > 0) {
    let left = random.uniform() * candidates.reduce((sum, { weight }) => sum + weight, 0);
    let index = 0;
    while (index < candidates.length - 1 && left >= candidates[index]!.weight) {
      left -= candidates[index]!.weight;
      index++;
    }
    chosen.push(candidates[index]!.node);
    candidates.splice(index, 1);
  }
  return chosen;
}

/** A Poisson number above zero, by inversion. */
function drawParentCount(random: RandomDraws): number {
  let share = ONE_PARENT_SHARE;
  let left = random.uniform();
  let count = 1;
  while (left >= share && count < MOST_NODES) {
    left -= share;
    count++;
    share *= POISSON_MEAN / count;
  }
  return count;
}

function withoutIsolatedNodes({ parents, ancestry }: GrowingGraph): Graph {
  const isParent = new Set(parents.flat());
  const kept = parents.flatMap((own, node) =>
    own.length > 0 || node < 2 || isParent.has(node) ? [node] : [],
  );
  const renumbered = new Map(kept.map((node, index) => [node, index]));
  const newParents = kept.map((node) => parents[node]!.map((parent) => renumbered.get(parent)!));
  const children: number[][] = kept.map(() => []);
  for (const [node, own] of newParents.entries()) for (const parent of own) children[parent]!.push(node);
  return { parents: newParents, children, ancestry: kept.map((node) => ancestry[node]!) };
}
