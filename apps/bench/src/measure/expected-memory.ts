import { sizesOf } from '@latent-sft/segmentation';
import type { PeerName } from '../suites/suite.js';
import type { WorkDescription } from '../workload/work-file.js';

/** Of the machine's memory, what peers side by side may be expected to take, and one alone with ours. */
const USABLE_SHARE = 0.7;
const USABLE_BY_TWO = 0.85;

/** A process with its libraries, before any work. */
const PROCESS_BYTES = 6e8;

const FLOAT_BYTES = 4;

/**
 * Roughly what a peer's process takes to train on a work, in bytes: its weights, what a layer keeps of each row for the
 * gradients (about 20 vectors of the width and 8 of the feed-forward width), for peers in Python dense masks, three
 * times over while they are made, and for `official` logits of every row of the padded decoder four times over:
 * themselves, shifted, log-probabilities, gradient. An estimate to plan by, and no result.
 */
export function expectedBytes(peer: PeerName, { config, examples, training }: WorkDescription): number {
  const { width, feedForwardWidth, layers, vocabularySize } = config;
  const lengths = examples.map((example) => {
    const { prompt, think, segments, end, answer } = sizesOf(example);
    const chain = segments.reduce((sum, length) => sum + length, 0);
    const rows = prompt + think + chain + segments.length + end;
    return { encoder: rows, decoder: rows + answer };
  });
  const sum = (of: readonly number[]) => of.reduce((all, one) => all + one, 0);
  const padded = (of: readonly number[]) => of.length * Math.max(...of);
  const count = peer === 'official' ? padded : sum;
  const square = ({ encoder, decoder }: (typeof lengths)[number]) => encoder ** 2 + decoder ** 2;
  const masks = peer === 'latent-sft' ? 0 : 3 * count(lengths.map(square));
  const decoderRows = count(lengths.map(({ decoder }) => decoder));
  const rows = count(lengths.map(({ encoder }) => encoder)) + decoderRows;
  const kept = rows * layers * (20 * width + 8 * feedForwardWidth);
  const logits = peer === 'official' ? 4 * decoderRows * vocabularySize : 0;
  const weights = layers * (4 * width * width + 3 * width * feedForwardWidth) + vocabularySize * width;
  // gradients and both means of AdamW beside each weight of both models
  const copies = training.method === 'full' ? 8 : 2;
  return PROCESS_BYTES + FLOAT_BYTES * (kept + masks + logits + copies * weights);
}

/**
 * Which peers run side by side with ours, so that each ratio comes from rounds in turns and yet all fit: one group
 * where they do, else those that fit together, and each of the others alone with ours.
 *
 * @param expected bytes of each peer; ours first
 * @returns groups of peers, ours first in each, and those that do not fit at all
 */
export function sideBySide(
  expected: readonly (readonly [PeerName, number])[],
  memoryBytes: number,
): { readonly groups: PeerName[][]; readonly tooLarge: readonly (readonly [PeerName, number])[] } {
  const usable = USABLE_SHARE * memoryBytes;
  const [[ours, own], ...others] = expected as [
    readonly [PeerName, number],
    ...(readonly [PeerName, number])[],
  ];
  const together: PeerName[] = [ours];
  const alone: PeerName[][] = [];
  const tooLarge: (readonly [PeerName, number])[] = [];
  let taken = own;
  for (const [peer, bytes] of [...others].sort((a, b) => a[1] - b[1])) {
    if (own + bytes > USABLE_BY_TWO * memoryBytes) tooLarge.push([peer, bytes]);
    else if (taken + bytes > usable) alone.push([ours, peer]);
    else {
      together.push(peer);
      taken += bytes;
    }
  }
  const asGiven = expected.map(([peer]) => peer).filter((peer) => together.includes(peer));
  return { groups: [...(asGiven.length > 1 || alone.length === 0 ? [asGiven] : []), ...alone], tooLarge };
}
