import { z } from 'zod';
import { answerField, stepsField, textField } from '../fields.js';
import { fieldError, quoted, sourceError } from '../source-error.js';
import { hasFields, type RowFormat } from './row-format.js';

const example = z.object({
  question: textField,
  query: textField,
  chain_of_thought: stepsField,
  answer: answerField,
});

/** ProntoQA (arXiv 2210.01240) as generated: every in-context example is a record, and so is the test example. */
export const prontoqaHops: RowFormat = {
  form: '{in_context_example0, …, test_example}',
  container: 'json',
  matches: (row) => hasFields(row, 'test_example'),
  read: (row, source, place) => {
    if (!hasFields(row, 'test_example')) {
      throw sourceError(source, place, 'a test_example', 'none');
    }
    return Object.entries(row).map(([name, value]) => {
      const here = `${place}, ${quoted(name)}`;
      const parsed = example.safeParse(value);
      if (!parsed.success) throw fieldError(source, here, value, parsed.error);
      const { question, query, chain_of_thought: steps, answer } = parsed.data;
      return { record: { question: `${question} ${query}`, steps, answer }, place: here };
    });
  },
};
