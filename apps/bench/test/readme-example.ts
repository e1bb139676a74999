import { readFileSync } from 'node:fs';
import { type BenchReport, caseTable } from '@latent-sft/bench';

// what `latent-sft bench --output bench.json` wrote
const file = new URL('fixtures/bench.json', import.meta.url);
const report = JSON.parse(readFileSync(file, 'utf8')) as BenchReport;

for (const { name, peers } of report.cases) {
  for (const { peer, ratio, agreement } of peers) {
    if (ratio) console.log(name, peer, ratio.median, agreement?.relativeDifference); //=> union official 2.5 1e-7
  }
}
console.log(caseTable(report.cases[0]!).split('\n')[0]);
//=> stage1 · demo · union step, 4 examples of 224 tokens together, 131 MFLOP of needed products; load 0.02 before, 1.80 after
