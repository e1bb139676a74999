import { it } from 'vitest';
import { expectReadmeExample } from '../../../tools/testing/readme-example.js';

it('README shows an example that prints what its comments say', () =>
  expectReadmeExample(import.meta.url, () => import('./readme-example.js')));
