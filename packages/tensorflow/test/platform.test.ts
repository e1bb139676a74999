import { describe, expect, it } from 'vitest';
import { unsupportedReason } from '../src/platform.js';

const linux = { system: 'linux', architecture: 'x64', glibc: '2.36', instructionSets: ['avx'] };

describe('unsupportedReason', () => {
  it('accepts Linux on x86-64 with the GNU C library and AVX', () => {
    expect(unsupportedReason(linux)).toBeNull();
  });

  it.each([
    [{ ...linux, system: 'darwin', architecture: 'arm64' }, 'this is darwin on arm64'],
    [{ ...linux, glibc: null }, 'this system has another'],
    [{ ...linux, glibc: '2.12' }, 'this system has 2.12'],
    [{ ...linux, instructionSets: [] }, 'AVX'],
  ])('says why not: %o', (platform, words) => {
    expect(unsupportedReason(platform)).toContain(words);
  });
});
