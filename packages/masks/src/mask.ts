import type { Layout } from '@latent-sft/segmentation';

/** LTIM for encoder layouts, LTSuM for decoder layouts, plain causal for any. */
export type MaskName = 'ltim' | 'ltsum' | 'causal';

/** Variants of the LTSuM; other masks ignore them. */
export interface MaskOptions {
  /**
   * What a branch reads beside itself (default `'latent'`). `+prompt` adds the prompt rows, not the think marker;
   * `+bos` adds the sequence's first row, for models that use it as an attention sink.
   */
  readonly segmentContext?: 'latent' | 'latent+prompt' | 'latent+bos';
  /** False leaves Z_N out of the answer's rows, as figure 4 of arXiv 2510.15522 draws it (default true). */
  readonly answerSeesLastLatent?: boolean;
}

/** @throws if the layout is not of the kind that the mask is for. */
export function requireKind(caller: string, layout: Layout, name: MaskName): void {
  const expected = { ltim: 'encoder', ltsum: 'decoder', causal: layout.kind }[name];
  if (layout.kind !== expected) {
    throw new Error(`${caller}: expected a layout of kind ${expected} for ${name}, got ${layout.kind}`);
  }
}
