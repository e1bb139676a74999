import { describe, expect, it } from 'vitest';
import { kernelSuite } from '../../tensor/test/kernel-suite.js';
import { selectEngine } from '../src/index.js';
import { start } from './start-tensorflow.js';

const missing = await start('0');

describe.skipIf(missing !== null)(`composed kernels${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('are what runs without the fused ones', async () => {
    expect((await selectEngine('tensorflow')).fused).toBe(null);
  });
  kernelSuite('tensorflow');
});
