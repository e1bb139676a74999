import { z } from 'zod';
import { chainLines } from '../chain-lines.js';
import { answerField, chainField, stepsField, textField } from '../fields.js';
import { fieldError } from '../source-error.js';
import { hasFields, type RowFormat } from './row-format.js';

/** The names of the fields that hold question, chain and answer in someone's own data. */
export interface FieldNames {
  readonly question: string;
  /** A text, whose lines are the steps, or a list of texts; without it every chain is empty. */
  readonly chain?: string | undefined;
  readonly answer: string;
}

const chainOrSteps = z.union([stepsField, chainField.transform(chainLines)], 'a text or a list of texts');

/**
 * The format of rows with these fields.
 *
 * @throws if one name stands for two of them.
 */
export function ownFields({ question, chain, answer }: FieldNames): RowFormat {
  const names = [question, ...(chain === undefined ? [] : [chain]), answer];
  if (new Set(names).size < names.length) {
    throw new Error(`readRecords: expected different fields, got ${names.join(', ')}`);
  }
  const steps = z.object(chain === undefined ? {} : { [chain]: chainOrSteps });
  const texts = z.object({ [question]: textField, [answer]: answerField });
  return {
    form: `{${names.join(', ')}}`,
    container: 'jsonl',
    matches: (row) => hasFields(row, ...names),
    read: (row, source, place) => {
      const text = texts.safeParse(row);
      if (!text.success) throw fieldError(source, place, row, text.error);
      const list = steps.safeParse(row);
      if (!list.success) throw fieldError(source, place, row, list.error);
      const record = {
        question: text.data[question]!,
        steps: chain === undefined ? [] : list.data[chain]!,
        answer: text.data[answer]!,
      };
      return [{ record, place }];
    },
  };
}
