import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeAddon } from '../native-addon.js';

/**
 * The addon with the fused operations, from the C++ sources of this package.
 *
 * @param folder The package's folder `native`.
 */
export function fusedAddon(folder: string): NativeAddon {
  const filesOf = (name: string) =>
    readdirSync(join(folder, name))
      .sort()
      .map((file) => join(folder, name, file));
  const files = [join(folder, 'addon.cc'), ...filesOf('loops'), ...filesOf('ops')];
  return {
    name: 'latent_fused',
    sources: files.filter((file) => file.endsWith('.cc')),
    headers: files.filter((file) => file.endsWith('.h')),
    // -w: TensorFlow's headers use what they themselves declare deprecated
    flags: ['-O3', '-fno-math-errno', '-fno-trapping-math', '-w'],
  };
}
