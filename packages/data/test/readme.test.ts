import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as data from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)![1]!;

it('the example of the README prints what the README says', () => {
  // As plain JavaScript: the import becomes a parameter, and the one non-null assertion goes.
  const body = block('ts')
    .replace(/^import (\{.*\}) from '@latent-sft\/data';/, 'const $1 = data;')
    .replaceAll(']!', ']');
  const lines: string[] = [];
  const log = (...values: unknown[]) => lines.push(`${values.join(' ')}\n`);
  new Function('data', 'console', body)(data, { log });
  expect(lines.join('')).toBe(block('text'));
});
