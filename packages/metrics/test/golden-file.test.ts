import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GOLDEN } from './golden-numbers.js';

const file = new URL('../../../../shared/golden/numeric.json', import.meta.url);

describe.skipIf(!existsSync(file))('the golden numbers in this package', () => {
  it('are those of the shared golden file', () => {
    const { parallelism, distribution, soft_embedding } = JSON.parse(readFileSync(file, 'utf8'));
    expect(GOLDEN).toEqual({ mixture: soft_embedding.full, parallelism, distribution });
  });
});
