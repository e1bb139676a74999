import { z } from 'zod';

// What is the matter with a field, in the words of the error.

const CONTROL = /\0|\p{Surrogate}/u;

const wellFormed = (type: string) =>
  z
    .string(type)
    .refine((text) => !CONTROL.test(text), 'a text without NUL characters and halves of surrogate pairs');

const filled = (type: string) =>
  wellFormed(type)
    .regex(/\S/, 'a text that is not empty')
    .transform((text) => text.trim());

/** A text that says something. */
export const textField = filled('a text');

/** A chain as one text, which may be empty. */
export const chainField = wellFormed('a text');

/** A text, or a number as some files write answers. */
export const answerField = z.preprocess(
  (value) => (typeof value === 'number' ? plainNumber(value) : value),
  filled('a text or a number'),
);

/** A number, or a text that is one, as `39` where the file says `39.0`. */
export const numberField = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^\s*-?\d+(\.\d+)?\s*$/)
        .transform(Number),
    ],
    'a number',
  )
  .transform(plainNumber);

/** Steps as a list of texts, or such a list written as JSON in a cell; an empty list is an empty chain. */
export const stepsField = z.preprocess(listInCell, z.array(textField, 'a list of texts'));

/** A list of one, or such a list written as JSON in a cell. */
export const single = <T extends z.ZodType>(field: T) =>
  z.preprocess(
    listInCell,
    z
      .array(field, 'a list')
      .length(1, 'a list of one')
      .transform(([first]) => first as z.output<T>),
  );

/** Yes or no, as a cell of a table may write it. */
export const booleanField = z.preprocess(
  (value) => (typeof value === 'string' ? { true: true, false: false }[value.toLowerCase()] : value),
  z.boolean('true or false'),
);

function listInCell(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('[')) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Every digit of a number, without an exponent where it is whole. */
function plainNumber(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
