import { describe } from 'vitest';
import { kernelSuite } from '../../tensor/test/kernel-suite.js';
import { selectEngine } from '../src/index.js';

const missing = await selectEngine('tensorflow').then(
  () => undefined,
  (error: Error) => error.message,
);

if (missing === undefined) kernelSuite('tensorflow');
else describe.skip(`kernels on tensorflow: ${missing}`, () => kernelSuite('tensorflow'));
