import { randomDraws } from '@latent-sft/random';
import { checkInteger, checkRows, type Rows } from './checks.js';

/** What the latents of a question are replaced with before the answer is forced. */
export type FaithfulnessArmName = 'trained' | 'shuffled' | 'other-item' | 'mean' | 'zero' | 'none';

/** The latents of one item, `[N, d]`. */
export type LatentList = readonly ArrayLike<number>[];

/** One arm: a pure function from the latents of all items to the latents to answer from. */
export interface FaithfulnessArm {
  readonly name: FaithfulnessArmName;
  /** What the accuracy under this arm tells. */
  readonly asks: string;
  readonly apply: (items: readonly LatentList[], seed: number) => LatentList[];
}

/**
 * The arms of the faithfulness test, in the order of a report.
 *
 * If accuracy under `none` or `other-item` equals that under `trained`, the latent chain is not doing the work. An
 * untrained model is one more arm; it needs no transform.
 */
export const FAITHFULNESS_ARMS: readonly FaithfulnessArm[] = [
  {
    name: 'trained',
    asks: 'How well does the model answer?',
    apply: (items) => items.map((item) => [...item]),
  },
  { name: 'shuffled', asks: 'Does the order of the latents matter?', apply: shuffleWithinItems },
  { name: 'other-item', asks: 'Does it matter whose latents they are?', apply: latentsOfOtherItems },
  { name: 'mean', asks: 'Is anything but the average latent used?', apply: meanLatents },
  { name: 'zero', asks: 'Is anything but the number of latents used?', apply: zeroLatents },
  { name: 'none', asks: 'Are latents needed at all?', apply: (items) => items.map(() => []) },
];

/**
 * Shuffles the latents of each item among themselves.
 *
 * The original order is never kept (it is drawn again), save for items of fewer than two latents.
 *
 * @throws If `seed` is not an integer of at least 0.
 */
export function shuffleWithinItems<L>(items: readonly (readonly L[])[], seed: number): L[][] {
  checkInteger('shuffleWithinItems', 'seed', seed, 0);
  const random = randomDraws(seed);
  return items.map((item) => {
    const original = [...item.keys()];
    let order = original;
    while (item.length > 1 && order.every((place, i) => place === i)) order = random.shuffle(original);
    return order.map((place) => item[place]!);
  });
}

/**
 * Gives each item the latents of another item, one of the same number of latents where there is one.
 *
 * Items of equal count pass their latents on along a random cycle; an item alone with its count gets those of a
 * random other item, and then the number of latents changes too.
 *
 * @throws If there are fewer than two items.
 * @throws If `seed` is not an integer of at least 0.
 */
export function latentsOfOtherItems<L>(items: readonly (readonly L[])[], seed: number): L[][] {
  if (items.length < 2) {
    throw new Error(`latentsOfOtherItems: expected at least 2 items, got ${items.length}`);
  }
  checkInteger('latentsOfOtherItems', 'seed', seed, 0);
  const random = randomDraws(seed);
  const groups = new Map<number, number[]>();
  items.forEach(({ length }, index) => {
    groups.set(length, [...(groups.get(length) ?? []), index]);
  });
  const donors = new Array<number>(items.length);
  for (const group of groups.values()) {
    const cycle = random.shuffle(group);
    cycle.forEach((receiver, place) => {
      const alone = cycle.length === 1;
      const stranger = (receiver + 1 + random.integer(items.length - 1)) % items.length;
      donors[receiver] = alone ? stranger : cycle[(place + 1) % cycle.length]!;
    });
  }
  return donors.map((donor) => [...items[donor]!]);
}

/**
 * Replaces every latent with the mean of all latents of all items; each item keeps its number of latents.
 *
 * @throws If there is no latent at all, latents differ in width, or a value is not finite.
 */
export function meanLatents(items: readonly LatentList[]): LatentList[] {
  const all: Rows = items.flat();
  const width = checkRows('meanLatents', 'latents', all);
  const mean = new Float64Array(width);
  for (const latent of all) for (let i = 0; i < width; i++) mean[i]! += latent[i]! / all.length;
  return items.map((item) => item.map(() => mean.slice()));
}

/**
 * Replaces every latent with zeros; each item keeps its number of latents.
 *
 * @throws If there is no latent at all, latents differ in width, or a value is not finite.
 */
export function zeroLatents(items: readonly LatentList[]): LatentList[] {
  const width = checkRows('zeroLatents', 'latents', items.flat());
  return items.map((item) => item.map(() => new Float64Array(width)));
}
