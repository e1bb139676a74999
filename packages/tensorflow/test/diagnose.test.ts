import { afterEach, expect, it, vi } from 'vitest';
import { diagnose } from '../src/index.js';

afterEach(() => vi.unstubAllEnvs());

it('reports programs, cache, engines and what to do, as plain JSON', async () => {
  vi.stubEnv('LATENT_SFT_CACHE', '/nonexistent/cache');
  const diagnosis = await diagnose();
  expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  expect(Object.keys(diagnosis)).toEqual([
    'healthy',
    'problems',
    'node',
    'system',
    'processor',
    'programs',
    'cache',
    'engines',
    'active',
  ]);
  expect(diagnosis).toMatchObject({
    healthy: false,
    node: { version: process.versions.node },
    cache: { folder: '/nonexistent/cache', sizeBytes: 0, freeBytes: null },
    engines: [
      { flavour: 'cpu', installed: false },
      { flavour: 'gpu', installed: false },
    ],
    active: null,
  });
  expect(diagnosis.programs.map((program) => program.name)).toEqual(['python3', 'pip', 'g++']);
  for (const problem of diagnosis.problems) {
    expect(problem.what).not.toBe('');
    expect(problem.cure).not.toBe('');
  }
});

it('names each program that is missing', async () => {
  vi.stubEnv('LATENT_SFT_CACHE', '/nonexistent/cache');
  vi.stubEnv('PATH', '/nonexistent/bin');
  const diagnosis = await diagnose();
  expect(diagnosis.programs.every((program) => !program.found && program.version === null)).toBe(true);
});
