import type { NativeAddon } from './native-addon.js';
import { tfjsBinding } from './tfjs-binding.js';

/** Every addon that the set-up builds and the loader loads, in this order; the binding is the first. */
export function engineAddons(): NativeAddon[] {
  return [tfjsBinding()];
}
