import { textField } from '../fields.js';
import { quoted, sourceError } from '../source-error.js';
import type { RowFormat } from './row-format.js';

const EQUATION = /<<[^<>]*>>/g;
const PRODUCT = /^[\d ]+\*[\d ]+\|\|/;

/**
 * GSM8K-Aug's text file (arXiv 2405.14838): `question||<<eq>> <<eq>> #### answer` a line, one step an equation
 * (brackets kept); a chain without equations is one step, its text.
 */
export const gsm8kAug = lineFormat((row) => row.includes('||'), equationSteps);

/** Products by long multiplication, digits from the smallest on: one step a partial product with its running sum. */
export const multiplication = lineFormat(
  (row) => PRODUCT.test(row),
  (chain) => (chain === '' ? [] : chain.split(/ (?=\+)/)),
);

function lineFormat(
  matches: (row: string) => boolean,
  stepsOf: (chain: string, source: string, place: string) => string[],
): RowFormat {
  return {
    form: '"question||chain #### answer"',
    container: 'txt',
    matches: (row) => typeof row === 'string' && matches(row),
    read: (row, source, place) => {
      const { question, chain, answer } = splitLine(row, source, place);
      return [{ record: { question, steps: stepsOf(chain, source, place), answer }, place }];
    },
  };
}

function splitLine(
  row: unknown,
  source: string,
  place: string,
): { question: string; chain: string; answer: string } {
  const form = '"question||chain #### answer"';
  if (typeof row !== 'string') throw sourceError(source, place, form, 'no line of text');
  const checked = textField.safeParse(row);
  if (!checked.success) throw sourceError(source, place, checked.error.issues[0]!.message, quoted(row));
  const bar = row.indexOf('||');
  if (bar < 0) throw sourceError(source, place, form, `${quoted(row)} without "||"`);
  const mark = row.lastIndexOf('####');
  if (mark < bar) throw sourceError(source, place, form, `${quoted(row)} without "####"`);
  const question = row.slice(0, bar).trim();
  const answer = row.slice(mark + 4).trim();
  if (question === '') throw sourceError(source, place, 'a question before "||"', 'an empty one');
  if (answer === '') throw sourceError(source, place, 'an answer after "####"', 'an empty one');
  return { question, chain: row.slice(bar + 2, mark).trim(), answer };
}

function equationSteps(chain: string, source: string, place: string): string[] {
  if (chain === '') return [];
  if (!chain.includes('<<')) return [chain];
  const rest = chain.replace(EQUATION, '').trim();
  if (rest !== '') {
    throw sourceError(source, place, 'a chain of <<equations>> alone', `${quoted(rest)} beside them`);
  }
  return chain.match(EQUATION)!;
}
