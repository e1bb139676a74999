import { describe } from 'vitest';
import { backends } from './backends.js';
import { kernelSuite } from './kernel-suite.js';

describe.each(backends)('$name', ({ name, missing }) => {
  if (missing === undefined) kernelSuite(name);
  else describe.skip(`kernels on ${name}: ${missing}`, () => kernelSuite(name));
});
