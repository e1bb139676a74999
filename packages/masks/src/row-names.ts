import type { Layout, Role, Span } from '@latent-sft/segmentation';

const LETTER: Record<Role, string> = {
  prompt: 'P',
  think: 'T',
  segment: 'S',
  latent: 'Z',
  end: 'E',
  answer: 'A',
};

/**
 * A short name for every row, in sequence order: `P1 P2 T Z1 S2.1 S2.2 Z2 E A1`.
 *
 * `S2.1` is the first token of segment 2; in a tail copy, `1:E` is the end marker of the copy that hangs off latent 1.
 */
export function rowNames(layout: Layout): string[] {
  return layout.spans.flatMap((span) => {
    const copy = layout.tails === 'strict-suffix' && span.branch > 0 ? `${span.branch}:` : '';
    return Array.from({ length: span.length }, (_, i) => copy + LETTER[span.role] + numberOf(span, i + 1));
  });
}

function numberOf(span: Span, token: number): string {
  if (span.role === 'latent') return `${span.index}`;
  if (span.role === 'segment') return span.length === 1 ? `${span.index}` : `${span.index}.${token}`;
  return span.length === 1 ? '' : `${token}`;
}
