import { type Batch, type ExampleRows, neededRows, type PackSettings, packBatch } from '@latent-sft/data';
import { attentionWalksRanges } from '@latent-sft/tensor';

/**
 * Packs the rows of examples that somebody reads: into one long row without padding where attention costs what its
 * ranges show, else into rows of the longest example, which keep a dense mask small.
 */
export function packRows(examples: readonly ExampleRows[], settings: PackSettings = {}): Batch {
  const items = examples.map(neededRows);
  if (!attentionWalksRanges()) return packBatch(items, settings);
  return packBatch(items, { ...settings, length: items.reduce((sum, { length }) => sum + length, 0) });
}
