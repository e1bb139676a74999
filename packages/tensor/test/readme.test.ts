import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { kernelNames } from '../src/index.js';

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

describe('README', () => {
  it('shows the example of readme-example.ts, which runs', async () => {
    expect(read('../README.md')).toContain(`\`\`\`ts\n${read('readme-example.ts')}\`\`\``);
    const print = vi.spyOn(console, 'log').mockImplementation(() => {});
    await tf.setBackend('cpu');
    await import('./readme-example.js');
    expect(print).toHaveBeenCalledWith([1, 3, 2, 4], [1, 3, 2, 4]);
    print.mockRestore();
  });

  it('names every kernel', () => {
    for (const name of kernelNames()) expect(read('../README.md')).toContain(`\`${name}\``);
  });
});
