import { z } from 'zod';
import { equationChain } from './equation-chain.js';
import { parseJson } from './jsonl.js';
import { type LocatedRecord, textField } from './located-record.js';
import { fieldError, quoted, sourceError } from './source-error.js';

const gsm8kRow = z.object({ question: textField, answer: textField });

/**
 * GSM8K's file: `{question, answer}` a line, the answer a solution with `<<calculator annotations>>` and
 * `#### result`; the chain is the annotations alone.
 */
export function parseGsm8k(text: string, source: string): LocatedRecord[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `line ${index + 1}`;
    const value = parseJson(line, source, place);
    const parsed = gsm8kRow.safeParse(value);
    if (!parsed.success) throw fieldError(source, place, value, parsed.error);
    const { question, answer: solution } = parsed.data;
    const mark = solution.lastIndexOf('####');
    if (mark < 0) {
      throw sourceError(source, place, 'field "answer" as "solution #### result"', quoted(solution));
    }
    const answer = solution.slice(mark + 4).trim();
    if (answer === '') throw sourceError(source, place, 'a result after "####"', 'an empty one');
    const { steps, recomputes, endsInAnswer } = equationChain(solution);
    return [{ record: { question, steps, answer }, place, checks: { recomputes, endsInAnswer } }];
  });
}
