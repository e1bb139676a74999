import { extractBoxed } from '@latent-sft/metrics';
import { z } from 'zod';
import { chainLines } from '../chain-lines.js';
import { answerField, textField } from '../fields.js';
import { hasFields, objectFormat } from './row-format.js';

/** MATH and MATH-500 (arXiv 2103.03874): the answer is the field of that name, or what the solution's last box holds. */
export const mathematics = objectFormat(
  {
    form: '{problem, solution} with \\boxed{answer}, or with answer',
    container: 'jsonl',
    matches: (row) => hasFields(row, 'problem', 'solution'),
  },
  z.object({ problem: textField, solution: textField, answer: answerField.optional() }),
  ({ problem, solution, answer: given }, fail) => {
    const answer = given ?? extractBoxed(solution);
    if (!answer) throw fail('a solution with \\boxed{answer}', 'none');
    return { record: { question: problem, steps: chainLines(solution), answer } };
  },
);

/** AIME: `{problem, solution, answer}`, the answer a whole number from 0 to 999. */
export const aime = objectFormat(
  {
    form: '{problem, solution, answer: 0 to 999}',
    container: 'jsonl',
    matches: (row) => hasFields(row, 'problem', 'solution', 'answer', 'url'),
  },
  z.object({
    problem: textField,
    solution: textField,
    answer: answerField.refine((answer) => /^\d{1,3}$/.test(answer), 'a whole number from 0 to 999'),
  }),
  ({ problem, solution, answer }) => ({
    record: { question: problem, steps: chainLines(solution), answer },
  }),
);
