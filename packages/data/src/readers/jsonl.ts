import { z } from 'zod';
import type { ReasoningRecord } from '../record.js';
import { answerField, type LocatedRecord, stepsField, textField } from './located-record.js';
import { fieldError, quoted, sourceError } from './source-error.js';

const stepsRow = z.object({ question: textField, steps: stepsField, answer: answerField });
const chainRow = z.object({ question: textField, cot: z.string('a text'), answer: answerField });
const problemRow = z.object({ problem: textField, cot: z.string('a text'), cot_answer: answerField });

/**
 * One JSON object a line: `{question, steps, answer}`, `{question, cot, answer}`, or the authors' own
 * `{problem, cot, cot_answer}`; other fields are passed over, and so are blank lines.
 */
export function parseJsonLines(text: string, source: string): LocatedRecord[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `line ${index + 1}`;
    return [{ record: parseRow(parseJson(line, source, place), source, place), place }];
  });
}

/** A line's JSON value. */
export function parseJson(line: string, source: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw sourceError(source, place, 'JSON', `${quoted(line)} (${(error as Error).message})`);
  }
}

function parseRow(value: unknown, source: string, place: string): ReasoningRecord {
  const keys = new Set(typeof value === 'object' && value !== null ? Object.keys(value) : []);
  if (keys.has('problem') && !keys.has('question')) {
    const { problem, cot, cot_answer } = check(problemRow, value, source, place);
    return { question: problem, steps: chainLines(cot), answer: cot_answer };
  }
  if (keys.has('cot') && !keys.has('steps')) {
    const { question, cot, answer } = check(chainRow, value, source, place);
    return { question, steps: chainLines(cot), answer };
  }
  return check(stepsRow, value, source, place);
}

function check<T>(schema: z.ZodType<T>, value: unknown, source: string, place: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw fieldError(source, place, value, parsed.error);
  return parsed.data;
}

/** A chain as steps, one a line, line ends kept: joined they are the chain without its markers. */
function chainLines(chain: string): string[] {
  const bare = chain
    .trim()
    .replace(/^<think>/, '')
    .replace(/<\/think>$/, '')
    .trim();
  return bare === '' ? [] : bare.split(/(?<=\n)(?=[^\S\n]*\S)/);
}
