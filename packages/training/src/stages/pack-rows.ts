import { type Batch, type ExampleRows, type PackSettings, packBatch } from '@latent-sft/data';
import { attentionWalksRanges } from '@latent-sft/tensor';

/**
 * Packs the rows of examples: into one long row without padding where attention costs what its ranges show, else into
 * rows of the longest example, which keep a dense mask small.
 */
export function packRows(examples: readonly ExampleRows[], settings: PackSettings = {}): Batch {
  if (!attentionWalksRanges()) return packBatch(examples, settings);
  return packBatch(examples, { ...settings, length: examples.reduce((sum, { length }) => sum + length, 0) });
}
