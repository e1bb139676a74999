import { randomDraws, randomStream } from '@latent-sft/random';

// Step 3 of a training run: the same numbers, whether or not the run was stopped before it.
const stream = randomStream(7, 'union/gumbel', 3);
console.log(stream.gumbel(2)[1]!.toFixed(4)); //=> 1.5131
console.log(stream.permutation(8).join(' ')); //=> 6 2 7 5 3 0 4 1

// Row 12 of a generated data set: the same draws, however many rows are made.
const random = randomDraws(2025, 12);
console.log(random.integer(10), random.pick(['red', 'green', 'blue'])); //=> 7 blue
