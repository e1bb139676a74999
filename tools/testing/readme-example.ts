import { readFileSync } from 'node:fs';
import { expect, vi } from 'vitest';

/**
 * Checks that a README shows an example to the letter, and that running it prints what its `//=>` comments say.
 *
 * @param test the URL of the test, which lies beside `readme-example.ts`
 * @param run imports the example
 */
export async function expectReadmeExample(test: string, run: () => Promise<unknown>): Promise<void> {
  const read = (path: string): string => readFileSync(new URL(path, test), 'utf8');
  const example = read('readme-example.ts');
  expect(read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);

  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await run();
  const printed = log.mock.calls.map((words) => words.join(' '));
  log.mockRestore();
  expect(printed).toEqual(Array.from(example.matchAll(/\/\/=> (.*)$/gm), (comment) => comment[1]));
}
