// Speaks the bench's protocol: `node fake-peer.mjs <loss> [fault]`, where a fault is what goes wrong on `run`.
import { createInterface } from 'node:readline';

const [loss, fault] = process.argv.slice(2);
let runs = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  if (method === 'run') runs++;
  const answers = {
    open: { versions: { fake: '1' }, threads: 1 },
    check: { values: [Number(loss)] },
    run: { seconds: 0.001 * runs, flops: 1e6 },
    gemm: { gflops: 10 },
    memory: { peakBytes: 1000 },
  };
  if (method === 'run' && fault === 'error') {
    console.log(JSON.stringify({ id, error: 'no memory left' }));
  } else if (method === 'run' && fault === 'exit') {
    console.error('something broke');
    process.exit(3);
  } else if (method === 'run' && fault === 'noise') {
    console.log('loading weights...');
  } else if (method === 'run' && fault === 'form') {
    console.log(JSON.stringify({ id, result: { seconds: 'soon' } }));
  } else if (!(method === 'run' && fault === 'silence')) {
    console.log(JSON.stringify({ id, result: answers[method] }));
  }
}
