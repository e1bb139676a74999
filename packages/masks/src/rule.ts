import type { Layout, Span } from '@latent-sft/segmentation';
import { type MaskName, type MaskOptions, requireKind } from './mask.js';

/**
 * The mask as a question: may row `query` attend to row `key`? (Both in sequence order; arXiv 2510.15522, figure 4.)
 *
 * - `causal`: every row reads the rows up to itself.
 * - `ltim`: as causal, but a latent is read by itself alone. So a latent sums up the question and the chain so far,
 *   and no row can lean on an earlier summary.
 * - `ltsum`: the backbone `P T Z1..ZN E A` is causal and blind to the branches; a branch reads itself and the one
 *   latent that it hangs off. So the segment after a latent can be restored only from that latent. On a
 *   strict-suffix layout a branch reads every latent up to its own.
 *
 * @throws if `ltim` is asked of a layout that is not an encoder's, or `ltsum` of one that is not a decoder's.
 */
export function maskRule(
  layout: Layout,
  name: MaskName,
  options: MaskOptions = {},
): (query: number, key: number) => boolean {
  requireKind('maskRule', layout, name);
  const spanAt = layout.spans.flatMap((span) => new Array<Span>(span.length).fill(span));
  const rule = { causal: () => true, ltim: readsInEncoder, ltsum: readsInDecoder(layout, options) }[name];
  return (query, key) => key <= query && rule(spanAt[query]!, spanAt[key]!, key);
}

/** Of a query's span, and the span and row of a key that is not after it. */
type SpanRule = (query: Span, key: Span, keyRow: number) => boolean;

const readsInEncoder: SpanRule = (query, key) => key.role !== 'latent' || key === query;

function readsInDecoder(layout: Layout, options: MaskOptions): SpanRule {
  const { segmentContext = 'latent', answerSeesLastLatent = true } = options;

  const backboneReads: SpanRule = (query, key) => {
    const isLastLatent = key.role === 'latent' && key.index === layout.latentCount;
    if (query.role === 'answer' && isLastLatent) return answerSeesLastLatent;
    return key.branch === 0;
  };

  const branchReads: SpanRule = (query, key, keyRow) => {
    if (key.branch === query.branch) return true;
    const firstLatent = layout.tails === 'strict-suffix' ? 1 : query.branch;
    if (key.role === 'latent' && key.index >= firstLatent && key.index <= query.branch) return true;
    if (segmentContext === 'latent+prompt') return key.role === 'prompt';
    return segmentContext === 'latent+bos' && keyRow === 0;
  };

  return (query, ...key) => (query.branch === 0 ? backboneReads(query, ...key) : branchReads(query, ...key));
}
