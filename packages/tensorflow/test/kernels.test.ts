import { describe, expect, it } from 'vitest';
import { kernelSuite } from '../../tensor/test/kernel-suite.js';
import { selectEngine } from '../src/index.js';
import { start } from './start-tensorflow.js';

const missing = await start();

describe.skipIf(missing !== null)(`fused kernels${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.skipIf(process.env.LATENT_SFT_FUSED === '0')('are loaded', async () => {
    expect((await selectEngine('tensorflow')).fused).toMatch(/^(avx512|avx2|portable)$/);
  });
  kernelSuite('tensorflow');
});
