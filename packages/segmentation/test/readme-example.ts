import { decoderLayout, labels, positions, roles, segmentText } from '@latent-sft/segmentation';

const chain = segmentText('<<12*5=60>> <<60-8=52>> <<52/4=13>>', 'equation');
const segments = chain.map(() => 2);
const layout = decoderLayout({ prompt: 2, think: 1, segments, end: 1, answer: 1 });

console.log(chain[1]); //=> <<60-8=52>>
console.log(Array.from(roles(layout), ([initial]) => initial).join(' ')); //=> p p t l s s l s s l e a
console.log(positions(layout).join(' ')); //=> 0 1 2 3 4 5 4 5 6 5 6 7
console.log(labels(layout).join(' ')); //=> 0 0 0 0 1 1 0 1 1 0 1 1
