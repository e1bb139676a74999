import type { z } from 'zod';

/** An error that says where in which source something else was expected, and what came. */
export function sourceError(source: string, place: string, expected: string, got: string): Error {
  return new Error(`readRecords: expected ${expected} on ${place} of ${source}, got ${got}`);
}

/** A piece of the text that came, short enough for a sentence. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** The first thing that zod found wrong, as {@link sourceError}. */
export function fieldError(source: string, place: string, value: unknown, error: z.ZodError): Error {
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
    describe(got),
  );
}

function describe(value: unknown): string {
  return value === undefined
    ? 'nothing'
    : quoted(JSON.stringify(value)).replace(/^"|"$/g, '').replaceAll('\\"', '"');
}
