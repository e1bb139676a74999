import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

it('README shows an example that prints what its comments say', async () => {
  const example = read('readme-example.ts');
  expect(read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);

  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  vi.stubEnv('TMPDIR', folder);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./readme-example.js');
  const printed = log.mock.calls.map((words) => words.join(' '));
  log.mockRestore();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  expect(printed).toEqual(Array.from(example.matchAll(/\/\/=> (.*)$/gm), (comment) => comment[1]));
});
