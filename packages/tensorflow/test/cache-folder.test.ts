import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { cacheFolder } from '../src/cache-folder.js';

it('prefers its own variable, then the XDG folder, then the home folder', () => {
  expect(cacheFolder({ LATENT_SFT_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/latent-sft');
  expect(cacheFolder({ LATENT_SFT_CACHE: '', XDG_CACHE_HOME: '' })).toBe(`${homedir()}/.cache/latent-sft`);
});
