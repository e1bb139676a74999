import { decodeFlops } from '@latent-sft/model';
import type { ShapeName } from '../shapes/shape.js';
import type { WorkDescription } from '../workload/work-file.js';
import type { BenchCase, CaseGroup } from './suite.js';

/** Batches that are decoded where none is asked for. */
export const DECODING_BATCHES: readonly number[] = [1, 32];

/** Answering questions greedily, a fixed number of latents and words each, by batch. */
export function decodingSuite(
  shape: ShapeName,
  folder: string,
  work: WorkDescription,
  batches: readonly number[],
): CaseGroup[] {
  return batches.map((batch) => {
    // one question alone is one of middle length
    const first = Math.floor((work.decoding.prompts.length - batch) / 2);
    const rows = Array.from({ length: batch }, (_, i) => first + i);
    return {
      suite: 'decode',
      shape,
      peers: ['latent-sft', 'bfloat16', 'int8', 'transformers'],
      near: ['bfloat16', 'int8'],
      params: { work: 'decoding', folder, rows },
      needs: 'transformers',
      cases: casesOf(work, rows),
    };
  });
}

/** Answering in words alone, beside llama.cpp, which has no latents. */
export function plainDecodingSuite(
  shape: ShapeName,
  folder: string,
  work: WorkDescription,
  batches: readonly number[],
): CaseGroup[] {
  return decodingSuite(shape, folder, work, batches).map((group) => ({
    ...group,
    peers: ['latent-sft', 'llama.cpp'],
    cases: group.cases
      .filter(({ name }) => name === 'prefill' || name === 'tokens')
      .map((one) => ({ ...one, name: `plain-${one.name}`, asked: one.name })),
  }));
}

/** Numbers that a pass reads of a model, roughly. */
export function weightsOf({
  width,
  feedForwardWidth,
  layers,
  vocabularySize,
}: WorkDescription['config']): number {
  return layers * (2.5 * width * width + 3 * width * feedForwardWidth) + width * vocabularySize;
}

function casesOf({ config, decoding }: WorkDescription, rows: readonly number[]): BenchCase[] {
  const { prompts, latents, tokens, support } = decoding;
  const batch = rows.length;
  const flops = (steps: number, thought: number) =>
    rows.reduce((sum, row) => {
      const counts = { promptTokens: prompts[row]!.length, steps, latents: thought, words: support };
      const { prefill, steps: after } = decodeFlops(config, counts);
      return sum + prefill + after;
    }, 0);
  const one = (name: string, what: string, steps: number, thought: number): BenchCase => ({
    name,
    title: `${what}, batch ${batch}`,
    examples: batch,
    tokens: name === 'prefill' ? rows.reduce((sum, row) => sum + prompts[row]!.length, 0) : 0,
    // words are equal or not
    tolerance: 0,
    flops: flops(steps, thought),
    // a step reads every weight once, whatever the rows
    expected: { bytes: 4 * weightsOf(config) * (1 + steps) },
  });
  return [
    one('prefill', 'prompt and first word', 0, 0),
    one('latents', `prompt, ${latents} latents and a word`, latents, latents),
    one('tokens', `prompt and ${tokens} words`, tokens - 1, 0),
    one('question', `prompt, ${latents} latents and ${tokens} words`, latents + tokens - 1, latents),
  ];
}
