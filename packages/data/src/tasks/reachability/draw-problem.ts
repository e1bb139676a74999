import type { RandomDraws } from '@latent-sft/random';
import { drawGraph, type Graph } from './draw-graph.js';

/** A graph, which of two nodes the root reaches, and the way to it. */
export interface ReachabilityProblem {
  readonly graph: Graph;
  readonly root: 0 | 1;
  readonly target: number;
  readonly wrongTarget: number;
  /** Nodes of a shortest way, from the root to the target. */
  readonly path: readonly number[];
}

// How often a graph is kept, by the length of its chain: brings the lengths to ProsQA's shares.
const KEPT_BY_LENGTH = new Map([
  [3, 0.97],
  [4, 1],
  [5, 0.82],
  [6, 0.7],
]);

/**
 * A problem as in ProsQA: the target is a deepest leaf that only the asked root reaches, the wrong choice any leaf
 * that only the other root reaches; asked is the root whose deepest leaf is deeper, a tie being drawn.
 */
export function drawProblem(random: RandomDraws): ReachabilityProblem {
  for (;;) {
    const graph = drawGraph(random);
    const leaves = [1, 2].map((bits) =>
      graph.children.flatMap((own, node) =>
        node > 1 && own.length === 0 && graph.ancestry[node] === bits ? [node] : [],
      ),
    ) as [number[], number[]];
    const depths = [distances(graph, 0), distances(graph, 1)] as const;
    const deepest = depths.map((depth, root) => Math.max(0, ...leaves[root]!.map((leaf) => depth[leaf]!)));
    const difference = deepest[0]! - deepest[1]!;
    const root = difference > 0 ? 0 : difference < 0 ? 1 : random.pick([0, 1] as const);
    const wrong = leaves[1 - root]!;
    const length = deepest[root]!;
    if (wrong.length === 0 || random.uniform() >= (KEPT_BY_LENGTH.get(length) ?? 0)) continue;
    const target = random.pick(leaves[root].filter((leaf) => depths[root][leaf] === length));
    const path = [target];
    while (path[0] !== root) {
      const near = depths[root][path[0]!]! - 1;
      path.unshift(random.pick(graph.parents[path[0]!]!.filter((node) => depths[root][node] === near)));
    }
    return { graph, root, target, wrongTarget: random.pick(wrong), path };
  }
}

/** Edges of the shortest way from a root to every node; infinite where there is none. */
function distances(graph: Graph, root: number): number[] {
  const distance = graph.parents.map(() => Number.POSITIVE_INFINITY);
  for (let node = root; node < distance.length; node++) {
    // Parents have smaller numbers, so their distances are final.
    distance[node] =
      node === root
        ? 0
        : 1 + Math.min(Number.POSITIVE_INFINITY, ...graph.parents[node]!.map((p) => distance[p]!));
  }
  return distance;
}
