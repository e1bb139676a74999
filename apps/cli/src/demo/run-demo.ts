import { rmSync } from 'node:fs';
import type { ReasoningRecord } from '@latent-sft/data';
import type { EngineReport } from '@latent-sft/tensorflow';
import {
  type ArmReport,
  answerQuestions,
  evaluateAnswerer,
  type LoadedAnswerer,
  loadAnswerer,
  measureFaithfulness,
  type Recipe,
} from '@latent-sft/training';
import { type AnswerInWords, answerOne, drawAnswer } from '../answer-one.js';
import { machineOf } from '../machine.js';
import { accuracyInWords, costsInWords } from '../output/accuracy.js';
import { stageSummaries } from '../stage-summaries.js';
import type { Terminal } from '../terminal.js';
import { trainRun } from '../train-run.js';
import { type DemoRow, type DemoTable, drawDemoTable } from './demo-table.js';
import { introduceStage } from './introductions.js';

/** A question as the latent model answers it, beside what the record holds. */
interface DemoExample extends AnswerInWords {
  readonly expected: Pick<ReasoningRecord, 'steps' | 'answer'>;
}

export interface DemoResult {
  readonly table: DemoTable;
  readonly examples: readonly DemoExample[];
}

const STAGES = ['no-cot', 'cot', 'latent'] as const;
const EXAMPLES = 3;
const WARM_UP = 32;
const ALONE = 20;

/** Trains the recipe, asks all three models the test questions, and shows how the latent one thinks. */
export async function runDemo(
  recipe: Recipe,
  folder: string,
  {
    engine,
    terminal,
    fresh,
  }: { readonly engine: EngineReport; readonly terminal: Terminal; readonly fresh: boolean },
): Promise<DemoResult> {
  if (fresh) rmSync(folder, { recursive: true, force: true });
  const { test, chance, digests } = await trainRun(recipe, folder, terminal, (stage) =>
    introduceStage(recipe, stage),
  );
  const startedAt = performance.now();
  terminal.note(`\nEvaluation: ${test.length} test questions, seen by no stage.\n`);
  const rows: DemoRow[] = [];
  let examples: DemoExample[] = [];
  let arms: ArmReport[] = [];
  for (const stage of STAGES) {
    const answerer = await loadAnswerer(folder, stage);
    try {
      const row = evaluateStage(answerer, stage, test);
      rows.push(row);
      const report = { ...row, sha256: digests.test };
      terminal.note(`${accuracyInWords(stage, report)}\n  ${costsInWords(report)}\n`);
      if (stage === 'latent') {
        examples = showExamples(answerer, test);
        arms = measureFaithfulness(answerer, test, recipe.seed);
      }
    } finally {
      answerer.dispose();
    }
  }
  const stages = stageSummaries(folder);
  const table: DemoTable = {
    rows,
    arms,
    chance,
    batch: recipe.evaluation.batch,
    machine: machineOf(engine),
    seconds: {
      training: stages.reduce((sum, { seconds }) => sum + seconds, 0),
      evaluation: (performance.now() - startedAt) / 1000,
      stages,
    },
    seed: recipe.seed,
    run: folder,
    sha256: digests.test,
  };
  return { table, examples };
}

/** Accuracy and times, after a few questions to warm up that are not timed. */
function evaluateStage(
  answerer: LoadedAnswerer,
  stage: DemoRow['stage'],
  test: readonly ReasoningRecord[],
): DemoRow {
  answerQuestions(answerer, test.slice(0, WARM_UP));
  const { sha256: _, ...report } = evaluateAnswerer(answerer, test).report;
  const meanReasoningSteps = stage === 'latent' ? report.meanLatents : report.meanChainTokens;
  return { stage, ...report, meanReasoningSteps, msAlone: medianMsAlone(answerer, test) };
}

function medianMsAlone(answerer: LoadedAnswerer, test: readonly ReasoningRecord[]): number {
  const timesMs = test.slice(0, ALONE).map((record) => {
    const startedAt = performance.now();
    answerQuestions(answerer, [record]);
    return performance.now() - startedAt;
  });
  return timesMs.sort((a, b) => a - b)[timesMs.length >> 1]!;
}

/** The first test questions: first, so that nobody chose them. */
function showExamples(answerer: LoadedAnswerer, test: readonly ReasoningRecord[]): DemoExample[] {
  return test.slice(0, EXAMPLES).map(({ question, steps, answer }) => ({
    ...answerOne(answerer, question, { sampling: { kind: 'greedy' }, words: 4 }),
    expected: { steps, answer },
  }));
}

/** Examples and table for people. */
export function drawDemo({ examples, table }: DemoResult): string {
  return [
    `The first ${examples.length} test questions. Each latent is shown as its most probable words with their weights;`,
    'the written chain beside it is what CoT-SFT would have to write, and the latent model never sees it.',
    ...examples.map(
      (example) =>
        `\n${drawAnswer(example)}\n` +
        `expected  ${example.expected.answer}, by the chain ${example.expected.steps.join(' | ')}`,
    ),
    '',
    drawDemoTable(table),
  ].join('\n');
}
