import { z } from 'zod';
import { chainLines } from '../chain-lines.js';
import { answerField, chainField, stepsField, textField } from '../fields.js';
import { hasFields, objectFormat, type RowFormat } from './row-format.js';

const stepsRow = z.object({ question: textField, steps: stepsField, answer: answerField });
const chainRow = z.object({ question: textField, cot: chainField, answer: answerField });
const officialRow = z.object({ problem: textField, cot: chainField, cot_answer: answerField });
const officialTestRow = z.object({ problem: textField, solution: chainField, answer: answerField });

const bySteps = (form: string, matches: RowFormat['matches']) =>
  objectFormat({ form, container: 'json', matches }, stepsRow, (record) => ({ record }));

/** ProsQA (arXiv 2412.06769): `{question, steps, answer}` and the graph. */
export const prosqa = bySteps('{question, steps, answer, idx_to_symbol, …}', (row) =>
  hasFields(row, 'question', 'steps', 'answer', 'idx_to_symbol'),
);

/** ProntoQA as Coconut (arXiv 2412.06769) writes it: `{question, steps, answer}`. */
export const prontoqa = bySteps(
  '{question, steps, answer: True or False}',
  (row) =>
    hasFields(row, 'question', 'steps', 'answer') &&
    /True or false:/i.test(String(row.question)) &&
    /^(true|false)$/i.test(String(row.answer)),
);

const withChain = objectFormat(
  { form: '{question, cot, answer}', container: 'jsonl', matches: () => false },
  chainRow,
  ({ question, cot, answer }) => ({ record: { question, steps: chainLines(cot), answer } }),
);

const officialTraining = objectFormat(
  { form: '{problem, cot, cot_answer}', container: 'jsonl', matches: () => false },
  officialRow,
  ({ problem, cot, cot_answer }) => ({
    record: { question: problem, steps: chainLines(cot), answer: cot_answer },
  }),
);

const officialTest = objectFormat(
  { form: '{problem, solution, answer}', container: 'jsonl', matches: () => false },
  officialTestRow,
  ({ problem, solution, answer }) => ({ record: { question: problem, steps: chainLines(solution), answer } }),
);

/** The method's own files: `{problem, cot, cot_answer}` to train on, `{problem, solution, answer}` to test with. */
export const official: RowFormat = {
  form: '{problem, cot, cot_answer} or {problem, solution, answer}',
  container: 'jsonl',
  matches: (row) => hasFields(row, 'problem', 'cot', 'cot_answer'),
  read: (row, source, place) =>
    (hasFields(row, 'solution') && !hasFields(row, 'cot') ? officialTest : officialTraining).read(
      row,
      source,
      place,
    ),
};

const written = bySteps('{question, steps, answer}', () => false);

/** Our own records `{question, steps, answer}`, `{question, cot, answer}`, or the method's. */
export const records: RowFormat = {
  form: '{question, steps or cot, answer}',
  container: 'jsonl',
  matches: (row) =>
    hasFields(row, 'question', 'answer') && (hasFields(row, 'steps') || hasFields(row, 'cot')),
  read: (row, source, place) => {
    if (hasFields(row, 'problem') && !hasFields(row, 'question')) {
      return officialTraining.read(row, source, place);
    }
    const byChain = hasFields(row, 'cot') && !hasFields(row, 'steps');
    return (byChain ? withChain : written).read(row, source, place);
  },
};
