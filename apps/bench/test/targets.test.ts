import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BenchReport, type CaseResult, reportTargets, targetTable } from '../src/index.js';

const { cases, targets } = JSON.parse(
  readFileSync(new URL('fixtures/bench.json', import.meta.url), 'utf8'),
) as BenchReport;
const [union] = cases as [CaseResult];
const [ours, official] = union.peers;
/** The case with other numbers of ours and of the other peer. */
const changed = (
  change: Partial<CaseResult>,
  own: Partial<typeof ours> = {},
  others: Partial<typeof ours> = {},
): CaseResult => ({
  ...{ ...union, ...change },
  peers: [
    { ...ours!, ...own },
    { ...official!, ...others },
  ],
});
const median = (value: number) => ({ ...official!.ratio!, median: value });
const measuredOf = (all: readonly CaseResult[], settings = {}) => {
  const found = reportTargets({ cases: all, settings }).filter(({ measured }) => measured !== null);
  return Object.fromEntries(found.map(({ name, measured, met }) => [name, [measured, met]]));
};

describe('reportTargets', () => {
  it('says what a run measured and whether that is met, and of what it measured nothing', () => {
    const found = reportTargets({ cases, settings: {} });
    expect(found.filter(({ measured }) => measured !== null)).toEqual(targets);
    expect(targetTable(found)).toMatch(/^union step, demo, .* >= 2x +2\.50x +met$/m);
    expect(targetTable(found)).toMatch(/^student step, smollm2, best by ours +>= 1\.3x +not measured$/m);
  });

  it('reads times, shares, memory and time by length', () => {
    const lengths = [128, 4096].map((chain) =>
      changed(
        { suite: 'scaling', name: `chain-${chain}`, tokens: chain },
        { seconds: median(chain * (chain === 128 ? 1 : 1.5)) },
      ),
    );
    const large = changed({ shape: 'smollm2' }, { gemmShare: 0.5, peakBytes: 2e9 }, { peakBytes: 8e9 });
    expect(measuredOf([large, ...lengths])).toEqual({
      'union step, smollm2, official by ours': [2.5, true],
      'union step, smollm2, share of GEMM': [0.5, false],
      'peak memory, union step, smollm2, ours by official': [0.25, true],
      'time a token, demo, chain 4096 by 128': [1.5, false],
    });
  });

  it('pairs the rounds of packed weights with those of transformers', () => {
    const times = { suite: 'decode', shape: 'smollm2', name: 'question', examples: 1 } as const;
    const question = changed(times, { rounds: [4, 4] }, { peer: 'transformers', rounds: [6, 6] });
    const packed = { ...ours!, peer: 'int8' as const, rounds: [2, 3] };
    const all = [{ ...question, peers: [...question.peers, packed] }];
    expect(measuredOf(all)).toEqual({
      'question, smollm2, batch 1, transformers by ours, float32': [2.5, true],
      'question, smollm2, batch 1, transformers by ours, int8': [2.5, true],
    });
  });

  it('names the slowest kernel', () => {
    const kernels = [1.4, 0.9].map((value) =>
      changed({ suite: 'kernels', title: `${value}` }, {}, { peer: 'composition', ratio: median(value) }),
    );
    expect(reportTargets({ cases: kernels, settings: { layers: 2 } }).at(-1)).toMatchObject({
      measured: 0.9,
      met: false,
      note: 'demo · 0.9; 1 of 2 below 1',
    });
  });

  it('takes nothing from a model with fewer layers', () => {
    expect(measuredOf(cases, { layers: 2 })).toEqual({});
  });
});
