import { readFileSync } from 'node:fs';
import { decoderLayout, encoderLayout, fixedRateSizes } from '@latent-sft/segmentation';
import { expect, it } from 'vitest';
import { drawText, keyRanges } from '../src/index.js';

const page = readFileSync(new URL('../../../docs/masks.md', import.meta.url), 'utf8');

it('docs/masks.md shows the masks as they are drawn', () => {
  const sizes = { prompt: 2, think: 1, segments: [2, 2, 1], end: 1, answer: 1 };
  expect(page).toContain(`\`\`\`text\n${drawText(encoderLayout(sizes), 'ltim')}\`\`\``);
  expect(page).toContain(`\`\`\`text\n${drawText(decoderLayout(sizes), 'ltsum')}\`\`\``);
});

it('docs/masks.md counts rows and pairs right', () => {
  const layout = decoderLayout({
    prompt: 100,
    think: 3,
    segments: fixedRateSizes(400, 2),
    end: 3,
    answer: 10,
  });
  const pairs = keyRanges(layout, 'ltsum').reduce((sum, bound, i) => sum + (i % 2 === 0 ? -bound : bound), 0);
  const count = (value: number): string => value.toLocaleString('en');
  expect(page.replaceAll('\n', ' ')).toContain(
    `make ${layout.length} rows: ${count(pairs)} pairs, where a dense matrix has ${count(layout.length ** 2)}`,
  );
});
