import type { Layout, LayoutSizes, Span } from './layout.js';

/** Token ids of one example, part by part; markers are lists, as a tokenizer may split them. */
export interface ExampleTokens {
  readonly prompt: readonly number[];
  readonly think: readonly number[];
  readonly segments: readonly (readonly number[])[];
  readonly end: readonly number[];
  readonly answer: readonly number[];
}

/** Row counts of an example. */
export function sizesOf(example: ExampleTokens): LayoutSizes {
  return {
    prompt: example.prompt.length,
    think: example.think.length,
    segments: example.segments.map((segment) => segment.length),
    end: example.end.length,
    answer: example.answer.length,
  };
}

/**
 * Token id of every row, `latentId` on latent rows; int32 `[T]` in sequence order.
 *
 * @throws if the example's sizes are not the layout's.
 */
export function tokenIds(layout: Layout, example: ExampleTokens, latentId: number): Int32Array {
  const sizes = sizesOf(example);
  if (!areEqual(sizes, layout.sizes)) {
    throw new Error(`tokenIds: expected an example of ${describe(layout.sizes)}, got ${describe(sizes)}`);
  }
  const ids = new Int32Array(layout.length);
  for (const span of layout.spans) {
    if (span.role === 'latent') ids[span.start] = latentId;
    else ids.set(tokensOf(example, span), span.start);
  }
  return ids;
}

function tokensOf(example: ExampleTokens, span: Span): readonly number[] {
  if (span.role === 'segment') return example.segments[span.index - 1]!;
  return example[span.role as 'prompt' | 'think' | 'end' | 'answer'];
}

function areEqual(a: LayoutSizes, b: LayoutSizes): boolean {
  return (
    a.prompt === b.prompt &&
    a.think === b.think &&
    a.end === b.end &&
    a.answer === b.answer &&
    a.segments.length === b.segments.length &&
    a.segments.every((length, i) => length === b.segments[i])
  );
}

function describe({ prompt, think, segments, end, answer }: LayoutSizes): string {
  return `prompt ${prompt}, think ${think}, segments [${segments.join(', ')}], end ${end}, answer ${answer}`;
}
