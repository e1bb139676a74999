import type { ReasoningRecord } from '../src/index.js';
import { type NamedEdge, parseReachability } from '../src/tasks/reachability/parse-reachability.js';

/** Mean of each statistic over records, everything read from the text alone. */
export function meanStatistics(records: readonly ReasoningRecord[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const record of records) {
    for (const [name, value] of Object.entries(graphStatistics(record))) {
      sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / records.length]));
}

function graphStatistics(record: ReasoningRecord): Record<string, number | boolean> {
  const { facts, root, choices, path, answer } = parseReachability(record);
  const target = answer;
  const wrong = choices[0] === target ? choices[1] : choices[0];
  const nodes = [...new Set(facts.flatMap(({ from, to }) => [from, to]))];
  const children = neighbours(facts, 'from', 'to');
  const parents = neighbours(facts, 'to', 'from');
  const count = (of: Map<string, string[]>, node: string) => of.get(node)?.length ?? 0;
  const share = (of: Map<string, string[]>, degree: number) =>
    nodes.filter((node) => count(of, node) === degree).length / nodes.length;

  const fromRoot = search(root, children);
  const people = nodes.filter((node) => count(parents, node) === 0);
  const wrongDepth = Math.min(
    ...people.map((person) => search(person, children).get(wrong)?.distance ?? Number.POSITIVE_INFINITY),
  );
  const degrees = [0, 1, 2, 3, 4].flatMap((degree) => [
    [`share of in-degree ${degree}`, share(parents, degree)],
    [`share of out-degree ${degree}`, share(children, degree)],
  ]);
  const lengths = [3, 4, 5, 6].map((length) => [`share of length ${length}`, path.length === length]);
  const places = path.map((step) => facts.findIndex(({ from, to }) => from === step.from && to === step.to));
  return {
    nodes: nodes.length,
    edges: facts.length,
    roots: people.length,
    leaves: nodes.filter((node) => count(children, node) === 0).length,
    length: path.length,
    'chain is shortest': fromRoot.get(target)?.distance === path.length,
    'shortest ways': fromRoot.get(target)!.ways,
    'wrong is reached': fromRoot.has(wrong),
    'wrong depth': wrongDepth,
    'in-degree of target': count(parents, target),
    'in-degree of wrong': count(parents, wrong),
    'out-degree of root': count(children, root),
    'out-degree of target': count(children, target),
    'out-degree of wrong': count(children, wrong),
    'reached by root': fromRoot.size,
    'depth of root': Math.max(...[...fromRoot.values()].map(({ distance }) => distance)),
    'ancestors of target': search(target, parents).size,
    'ancestors of wrong': search(wrong, parents).size,
    'target named first': choices[0] === target,
    'place of chain facts': places.reduce((sum, place) => sum + place / (facts.length - 1), 0) / path.length,
    'chain facts in order': places.every((place, index) => index === 0 || place > places[index - 1]!),
    ...Object.fromEntries(degrees),
    ...Object.fromEntries(lengths),
  };
}

function neighbours(facts: readonly NamedEdge[], from: 'from' | 'to', to: 'from' | 'to') {
  const lists = new Map<string, string[]>();
  for (const fact of facts) lists.set(fact[from], [...(lists.get(fact[from]) ?? []), fact[to]]);
  return lists;
}

/** Every node within reach: its distance and the number of shortest ways to it. */
function search(start: string, next: Map<string, string[]>) {
  const found = new Map([[start, { distance: 0, ways: 1 }]]);
  for (const [node, { distance, ways }] of found) {
    for (const neighbour of next.get(node) ?? []) {
      const known = found.get(neighbour);
      if (!known) found.set(neighbour, { distance: distance + 1, ways });
      else if (known.distance === distance + 1) known.ways += ways;
    }
  }
  return found;
}
