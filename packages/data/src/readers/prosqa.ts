import { z } from 'zod';
import { answerField, type LocatedRecord, stepsField, textField } from './located-record.js';
import { fieldError, quoted, sourceError } from './source-error.js';

const prosqaItem = z.object({ question: textField, steps: stepsField, answer: answerField });

/** ProsQA's JSON file: one list of objects with `question`, `steps` and `answer`; other fields are passed over. */
export function parseProsqa(text: string, source: string): LocatedRecord[] {
  return parseList(text, source).map((item, index) => {
    const place = `item ${index + 1}`;
    const parsed = prosqaItem.safeParse(item);
    if (!parsed.success) throw fieldError(source, place, item, parsed.error);
    return { record: parsed.data, place };
  });
}

function parseList(text: string, source: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw sourceError(source, errorLine(text, error as Error), 'JSON', (error as Error).message);
  }
  if (!Array.isArray(value)) throw sourceError(source, 'line 1', 'a JSON list', quoted(text));
  return value;
}

/** The line that JSON.parse complains about: it tells only the position, or nothing when the text ends too early. */
function errorLine(text: string, error: Error): string {
  const position = /position (\d+)/.exec(error.message)?.[1];
  return `line ${text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length}`;
}
