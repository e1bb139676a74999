import { describe, expect, it } from 'vitest';
import { kernelSuite } from '../../tensor/test/kernel-suite.js';
import { selectEngine } from '../src/index.js';
import { start } from './start-tensorflow.js';

const missing = await start('portable');

describe.skipIf(missing !== null)(
  `fused kernels for any x86-64${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it('are loaded', async () => {
      expect((await selectEngine('tensorflow')).fused).toBe('portable');
    });
    kernelSuite('tensorflow');
  },
);
