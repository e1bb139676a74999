import type { z } from 'zod';

/** What is wrong at one place of a file. */
export interface RecordProblem {
  /** `line 7`, `item 7` or `row 7`. */
  readonly place: string;
  readonly expected: string;
  readonly got: string;
}

/** A place of a source where something else was expected. */
export class RecordError extends Error {
  constructor(
    source: string,
    readonly problem: RecordProblem,
  ) {
    const { place, expected, got } = problem;
    super(`readRecords: expected ${expected} on ${place} of ${source}, got ${got}`);
  }
}

/** An error that says where in which source something else was expected, and what came. */
export function sourceError(source: string, place: string, expected: string, got: string): RecordError {
  return new RecordError(source, { place, expected, got });
}

/** A piece of the text that came, short enough for a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

/** The first thing that zod found wrong, as {@link sourceError}. */
export function fieldError(source: string, place: string, value: unknown, error: z.ZodError): RecordError {
  const issue = error.issues[0]!;
  const path = issue.path.map(String).join('.');
  const got = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    value,
  );
  return sourceError(
    source,
    place,
    path === '' ? issue.message : `field "${path}" as ${issue.message}`,
    describeValue(got),
  );
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  try {
    return shortened(JSON.stringify(value));
  } catch {
    return 'something nested too deeply to show'; // JSON.stringify is recursive where JSON.parse is not
  }
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
