import type { ArmReport, EvaluationReport } from '@latent-sft/training';
import type { Machine } from '../machine.js';
import { intervalInWords } from '../output/accuracy.js';
import { drawArms } from '../output/arms.js';
import { drawStageCosts, withPrefix } from '../output/costs.js';
import { duration, percentage } from '../output/progress.js';
import { drawTable } from '../output/table.js';
import type { StageSummary } from '../stage-summaries.js';

/** One way to answer and how well it does. */
export interface DemoRow extends Omit<EvaluationReport, 'sha256'> {
  readonly stage: 'no-cot' | 'cot' | 'latent';
  /** Chain tokens, or latents. */
  readonly meanReasoningSteps: number;
  /** Wall time of a question asked alone, median. */
  readonly msAlone: number;
}

/** What the demo found. */
export interface DemoTable {
  readonly rows: readonly DemoRow[];
  /** Accuracy of the latent model with its latents replaced. */
  readonly arms: readonly ArmReport[];
  /** Accuracy of the best guess that does not read the question. */
  readonly chance: number | null;
  /** Questions answered at once for `msPerQuestion`. */
  readonly batch: number;
  readonly machine: Machine;
  readonly seconds: {
    readonly training: number;
    readonly evaluation: number;
    readonly stages: readonly StageSummary[];
  };
  readonly seed: number;
  readonly run: string;
  /** sha256 of the test questions. */
  readonly sha256: string;
}

const NAMES = { 'no-cot': 'No-CoT', cot: 'CoT-SFT', latent: 'Latent-SFT' } as const;

/** The table for people. */
export function drawDemoTable(demo: DemoTable): string {
  const { rows, arms, chance, batch, machine, seconds, seed, run, sha256 } = demo;
  const items = rows[0]!.items;
  const table = drawTable(
    ['', 'right', '95 % interval', 'reasoning steps', 'answer tokens', 'FLOPs', 'ms a question', 'ms alone'],
    rows.map((row) => [
      NAMES[row.stage],
      percentage(row.passAt1),
      intervalInWords(row),
      row.meanReasoningSteps.toFixed(1),
      row.meanAnswerTokens.toFixed(1),
      withPrefix(row.flopsPerQuestion, ''),
      row.msPerQuestion.toFixed(2),
      row.msAlone.toFixed(1),
    ]),
  );
  const guess = chance === null ? '' : `; guessing gets ${percentage(chance)}`;
  return [
    `${items} questions that no stage has seen${guess}. A reasoning step is a chain token or a latent.`,
    `FLOPs: of one question. Times: in batches of up to ${batch}, and one question alone (median of 20).`,
    `sha256 of the questions: ${sha256}`,
    '',
    table,
    '',
    drawArms(arms),
    '',
    'What training cost:',
    '',
    drawStageCosts(seconds.stages),
    '',
    `trained in ${duration(seconds.training)}, evaluated in ${duration(seconds.evaluation)}, seed ${seed}, run ${run}`,
    `${machine.processor ?? 'unknown processor'}, ${machine.cores} cores, ${machine.engine}, Node ${machine.node}`,
  ].join('\n');
}
