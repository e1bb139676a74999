import { z } from 'zod';
import { nearest } from './nearest.js';

/** The first thing that is wrong, in one sentence. */
export function describeIssue(root: z.ZodType, error: z.ZodError, value: unknown): string {
  const issue = deepest(error.issues[0]!);
  const path = issue.path.join('.') || 'the recipe';
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const known = knownKeys(root, issue.path);
    const near = nearest(key, known);
    return `expected only known keys in ${path}, got ${key}${near ? ` (did you mean ${near}?)` : ''}`;
  }
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], value);
  const expected = issue.message
    .replace(/^(Invalid (input: )?|Too (small|big): )/, '')
    .replace(/, received .*$/, '');
  return `at ${path}: ${expected}, got ${JSON.stringify(found) ?? 'nothing'}`;
}

/** Of a failed union the branch that came furthest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const inner = issue.errors.flat().filter((candidate) => candidate.path.length > 0);
  return inner[0] ? { ...inner[0], path: [...issue.path, ...inner[0].path] } : issue;
}

function knownKeys(root: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schema = root;
  for (const key of path) schema = (unwrap(schema) as z.ZodObject).shape?.[String(key)] ?? schema;
  const object = unwrap(schema);
  if (object instanceof z.ZodObject) return Object.keys(object.shape);
  if (object instanceof z.ZodDiscriminatedUnion) {
    return object.options.flatMap((option) => Object.keys((option as z.ZodObject).shape));
  }
  return [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}
