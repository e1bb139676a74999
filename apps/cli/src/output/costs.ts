import type { StageSummary } from '../stage-summaries.js';
import { drawTable } from './table.js';

const UNKNOWN = '?';
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];

/** What training cost, stage by stage, for people. */
export function drawStageCosts(stages: readonly StageSummary[]): string {
  const total = (name: 'seconds' | 'stepSeconds' | 'flops' | 'validationFlops') =>
    stages.reduce<number | undefined>((sum, stage) => {
      const part = stage[name];
      return sum === undefined || part === undefined ? undefined : sum + part;
    }, 0);
  const table = drawTable(
    ['stage', 'work', 'seconds', 'in steps', 'tokens/s', 'FLOPs', 'FLOP/s', 'peak memory'],
    [
      ...stages.map((stage) => [
        stage.stage,
        workOf(stage),
        stage.seconds.toFixed(1),
        shown(stage.stepSeconds, (seconds) => seconds.toFixed(1)),
        shown(stage.tokensPerSecond, (rate) => rate.toFixed(0)),
        shown(stage.flops, (flops) => withPrefix(flops, '')),
        shown(stage.gflopsPerSecond, (rate) => withPrefix(1e9 * rate, '')),
        shown(stage.peakRssBytes, (bytes) => withPrefix(bytes, 'B')),
      ]),
      [
        ...['all', '', total('seconds')!.toFixed(1)],
        ...[shown(total('stepSeconds'), (seconds) => seconds.toFixed(1)), ''],
        ...[shown(total('flops'), (flops) => withPrefix(flops, '')), '', ''],
      ],
    ],
  );
  return [
    table,
    'Tokens and FLOPs: of the steps, forward and backward, or of the labelling. Seconds: of loading and',
    `validating too, which took ${shown(total('validationFlops'), (flops) => withPrefix(flops, 'FLOP'))} beside. ` +
      'Peak memory is of the process, up to then.',
  ].join('\n');
}

/** An amount with a decimal prefix, to three digits: `12.3 GFLOP`. */
export function withPrefix(amount: number, unit: string): string {
  const thousands = Math.floor(Math.log10(Number(amount.toPrecision(3))) / 3);
  const prefix = Math.max(0, Math.min(thousands, PREFIXES.length - 1));
  return `${significant(amount / 1000 ** prefix)} ${PREFIXES[prefix]}${unit}`.trimEnd();
}

function workOf({ steps, rows }: StageSummary): string {
  if (steps !== undefined) return `${steps} steps`;
  return rows === undefined ? UNKNOWN : `${rows} rows`;
}

function shown(value: number | undefined, inWords: (value: number) => string): string {
  return value === undefined ? UNKNOWN : inWords(value);
}

/** Three digits that count, without an exponent. */
function significant(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.floor(Math.log10(Number(value.toPrecision(3))));
  return value.toFixed(Math.max(0, Math.min(6, 2 - magnitude)));
}
