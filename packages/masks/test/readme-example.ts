import { keyRanges, maskRule, shiftRanges } from '@latent-sft/masks';
import { decoderLayout, storageOrder } from '@latent-sft/segmentation';

// Rows in sequence order: P1 P2 T Z1 S2.1 S2.2 Z2 E A
const layout = decoderLayout({ prompt: 2, think: 1, segments: [2, 2], end: 1, answer: 1 });
const mayRead = maskRule(layout, 'ltsum');
console.log(mayRead(4, 3), mayRead(4, 0)); //=> true false

const ranges = keyRanges(layout, 'ltsum'); // int32 [9, 3, 2], in storage order
const row = storageOrder(layout).indexOf(4);
console.log(row, ranges.slice(row * 6, row * 6 + 6).join(' ')); //=> 7 3 4 7 8 0 0
console.log(
  shiftRanges(ranges, 100)
    .slice(row * 6, row * 6 + 6)
    .join(' '),
); //=> 103 104 107 108 0 0
