import type { Batch, ExampleRows, PackSettings } from '@latent-sft/data';
import { packRows } from './pack-rows.js';

/** Cuts a step's examples into parts of at most `size`, or one part of all. */
export function inParts<T>(items: readonly T[], size: number | undefined): T[][] {
  const parts: T[][] = [];
  const step = size ?? items.length;
  for (let start = 0; start < items.length; start += step) parts.push(items.slice(start, start + step));
  return parts;
}

/** Packs the parts of one step, weighted so that their losses sum to that of the step. */
export function packParts(parts: readonly (readonly ExampleRows[])[], mean?: PackSettings['mean']): Batch[] {
  const items = parts.flat();
  const whole = {
    examples: items.length,
    targets: items.reduce((sum, { targets }) => sum + targets.length, 0),
  };
  return parts.map((part) => packRows(part, { ...(mean && { mean }), whole }));
}
