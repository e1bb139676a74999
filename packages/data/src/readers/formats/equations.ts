import { z } from 'zod';
import { equationChain } from '../equation-chain.js';
import { numberField, single, textField } from '../fields.js';
import { quoted } from '../source-error.js';
import { numericAnswers } from './numeric-answers.js';
import { type CheckedRecord, hasFields, objectFormat, type RowFormat } from './row-format.js';

/** GSM8K (arXiv 2110.14168): `{question, answer}`; the chain is the answer's `<<calculator annotations>>` alone. */
export const gsm8k = objectFormat(
  {
    form: '{question, answer: "… <<48/2=24>>24 … #### 72"}',
    container: 'jsonl',
    matches: (row) => hasFields(row, 'question', 'answer') && /####/.test(String(row.answer)),
  },
  z.object({ question: textField, answer: textField }),
  ({ question, answer: solution }, fail) => {
    const mark = solution.lastIndexOf('####');
    if (mark < 0) throw fail('field "answer" as "solution #### result"', quoted(solution));
    const answer = solution.slice(mark + 4).trim();
    if (answer === '') throw fail('a result after "####"', 'an empty one');
    const { steps, ...checks } = equationChain(solution);
    return { record: { question, steps, answer }, checks };
  },
);

/** SVAMP (arXiv 2103.07191): the body and the question are one question, the equation is a chain of one step. */
export const svamp = objectFormat(
  {
    form: '{Body, Question, Equation, Answer}',
    container: 'json',
    matches: (row) => hasFields(row, 'Body', 'Question', 'Equation', 'Answer'),
  },
  z.object({ Body: textField, Question: textField, Equation: textField, Answer: numberField }),
  ({ Body, Question, Equation, Answer }) => oneEquation(`${Body} ${Question}`, Equation, Answer),
);

const fullMultiarith = objectFormat(
  {
    form: '{sQuestion, lEquations, lSolutions}',
    container: 'json',
    matches: (row) => hasFields(row, 'sQuestion', 'lEquations', 'lSolutions'),
  },
  z.object({
    sQuestion: textField,
    lEquations: single(z.string().regex(/^\s*X\s*=/i, 'an equation "X=…"')),
    lSolutions: single(numberField),
  }),
  ({ sQuestion, lEquations, lSolutions }) =>
    oneEquation(sQuestion, lEquations.slice(lEquations.indexOf('=') + 1), lSolutions),
);

/** MultiArith (Roy and Roth 2015): with its equations, or as questions and numbers alone. */
export const multiarith: RowFormat = {
  ...fullMultiarith,
  form: `${fullMultiarith.form} or {input, target}`,
  read: (row, source, place) =>
    (hasFields(row, 'input', 'target') ? numericAnswers : fullMultiarith).read(row, source, place),
};

/** A chain of the one step `<<expression=answer>>`. */
function oneEquation(question: string, expression: string, answer: string): CheckedRecord {
  const short = withoutOuterBrackets(expression.replace(/\s+/g, '').replace(/(\d)\.0+(?!\d)/g, '$1'));
  const { steps, ...checks } = equationChain(`<<${short}=${answer}>> #### ${answer}`);
  return { record: { question, steps, answer }, checks };
}

function withoutOuterBrackets(expression: string): string {
  if (!expression.startsWith('(')) return expression;
  let depth = 0;
  for (const [index, character] of [...expression].entries()) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 0) return index === expression.length - 1 ? expression.slice(1, -1) : expression;
  }
  return expression;
}
