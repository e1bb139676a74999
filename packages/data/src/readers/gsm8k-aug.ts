import type { LocatedRecord } from './located-record.js';
import { quoted, sourceError } from './source-error.js';

const EQUATION = /<<[^<>]*>>/g;

/**
 * GSM8K-Aug's text file: `question||<<eq>> <<eq>> #### answer` a line, one step an equation (brackets kept);
 * a chain without equations is one step, its text. Blank lines are passed over.
 */
export function parseGsm8kAug(text: string, source: string): LocatedRecord[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `line ${index + 1}`;
    const bar = line.indexOf('||');
    if (bar < 0)
      throw sourceError(source, place, '"question||chain #### answer"', `${quoted(line)} without "||"`);
    const mark = line.lastIndexOf('####');
    if (mark < bar) {
      throw sourceError(source, place, '"question||chain #### answer"', `${quoted(line)} without "####"`);
    }
    const question = line.slice(0, bar).trim();
    const answer = line.slice(mark + 4).trim();
    if (question === '') throw sourceError(source, place, 'a question before "||"', 'an empty one');
    if (answer === '') throw sourceError(source, place, 'an answer after "####"', 'an empty one');
    const chain = line.slice(bar + 2, mark).trim();
    return [{ record: { question, steps: chainSteps(chain, source, place), answer }, place }];
  });
}

function chainSteps(chain: string, source: string, place: string): string[] {
  if (chain === '') return [];
  if (!chain.includes('<<')) return [chain];
  const rest = chain.replace(EQUATION, '').trim();
  if (rest !== '')
    throw sourceError(source, place, 'a chain of <<equations>> alone', `${quoted(rest)} beside them`);
  return chain.match(EQUATION)!;
}
