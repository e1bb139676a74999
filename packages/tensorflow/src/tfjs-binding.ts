import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NativeAddon } from './native-addon.js';

const require = createRequire(import.meta.url);

/** The addon of `@tensorflow/tfjs-node-gpu`, built from the sources that its npm package carries. */
export function tfjsBinding(): NativeAddon {
  const root = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const folder = join(root, 'binding');
  const files = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  return {
    name: 'tfjs_binding',
    sources: files.filter((file) => file.endsWith('.cc')),
    headers: files.filter((file) => file.endsWith('.h')),
    flags: [],
  };
}
