import type { ExampleTokens } from '@latent-sft/segmentation';

/** What happens to examples longer than memory allows. */
export interface LengthLimit {
  /** Tokens of prompt, markers, chain and answer together. */
  readonly maxTokens: number;
  /** Leave the example out, cut whole segments off its chain's end, or refuse it. */
  readonly tooLong: 'drop' | 'cut' | 'error';
}

export interface LimitedExamples {
  /** The examples that fit, each with its place in the list that came. */
  readonly kept: { readonly index: number; readonly example: ExampleTokens }[];
  readonly dropped: number;
  /** How many of the kept ones lost segments. */
  readonly cut: number;
}

/**
 * Holds examples to a length by an explicit rule, with counts.
 *
 * Cutting leaves at least one segment; an example that is too long even so is dropped.
 *
 * @throws if `maxTokens` is no integer >= 1.
 * @throws if an example is too long and `tooLong` is `error`.
 */
export function limitLengths(examples: readonly ExampleTokens[], limit: LengthLimit): LimitedExamples {
  const { maxTokens, tooLong } = limit;
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new Error(`limitLengths: expected maxTokens as an integer >= 1, got ${maxTokens}`);
  }
  const kept: LimitedExamples['kept'] = [];
  let cut = 0;
  for (const [index, example] of examples.entries()) {
    const tokens = countTokens(example);
    if (tokens <= maxTokens) {
      kept.push({ index, example });
      continue;
    }
    if (tooLong === 'error') {
      throw new Error(
        `limitLengths: expected at most ${maxTokens} tokens an example, got ${tokens} in example ${index + 1}`,
      );
    }
    const shorter = tooLong === 'cut' ? cutChain(example, tokens - maxTokens) : null;
    if (shorter === null) continue;
    kept.push({ index, example: shorter });
    cut += 1;
  }
  return { kept, dropped: examples.length - kept.length, cut };
}

/** Tokens of prompt, markers, chain and answer together. */
export function countTokens({ prompt, think, segments, end, answer }: ExampleTokens): number {
  const chain = segments.reduce((total, segment) => total + segment.length, 0);
  return prompt.length + think.length + chain + end.length + answer.length;
}

function cutChain(example: ExampleTokens, surplus: number): ExampleTokens | null {
  let count = example.segments.length;
  let left = surplus;
  while (left > 0 && count > 1) {
    count -= 1;
    left -= example.segments[count]!.length;
  }
  return left > 0 ? null : { ...example, segments: example.segments.slice(0, count) };
}
