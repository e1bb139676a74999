import { z } from 'zod';
import { numberField, textField } from '../fields.js';
import { hasFields, objectFormat } from './row-format.js';

const row = z.object({ input: textField, target: numberField });

/** MAWPS's sets as PAL (arXiv 2211.10435) writes them: `{input, target}`, without a chain. */
export const numericAnswers = objectFormat(
  {
    form: '{input, target}',
    container: 'jsonl',
    matches: (value) => hasFields(value, 'input', 'target'),
  },
  row,
  ({ input, target }) => ({ record: { question: input, steps: [], answer: target } }),
);

/** GSM-Hard (arXiv 2211.10435): `{input, code, target}`; the program is no chain of thought and is passed over. */
export const gsmHard = {
  ...numericAnswers,
  form: '{input, code, target}',
  matches: (value: unknown) => hasFields(value, 'input', 'code', 'target'),
};
