import { tokenizerDigest } from '@latent-sft/data';
import type { LabelHeader } from '../run/label-manifest.js';
import { mixtureWords, type StageContext } from '../stages/stage-context.js';

/** What the soft labels of a run are made with; a store with another header is refused. */
export function labelHeader(context: StageContext, checkpoint: string): LabelHeader {
  const { recipe, config, tokenizer, train, validation } = context;
  const { support, temperature, readout } = recipe.latent;
  return {
    count: train.length + validation.length,
    segmentation: recipe.segmenter.by === 'rate' ? recipe.segmenter.rate : recipe.segmenter.by,
    k: mixtureWords(config, support),
    vocabularySize: config.vocabularySize,
    temperature,
    readout,
    tokenizer: tokenizerDigest(tokenizer),
    checkpoint,
    noise: 'none',
    precision: 'float32',
  };
}
