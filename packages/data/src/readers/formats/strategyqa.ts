import { z } from 'zod';
import { booleanField, stepsField, textField } from '../fields.js';
import { hasFields, objectFormat } from './row-format.js';

/** StrategyQA (arXiv 2101.02235): the facts are the chain; the answer is `yes` or `no`. */
export const strategyqa = objectFormat(
  {
    form: '{question, facts, answer: true or false}',
    container: 'json',
    matches: (row) => hasFields(row, 'question', 'facts', 'answer'),
  },
  z.object({ question: textField, facts: stepsField, answer: booleanField }),
  ({ question, facts, answer }) => ({ record: { question, steps: facts, answer: answer ? 'yes' : 'no' } }),
);
