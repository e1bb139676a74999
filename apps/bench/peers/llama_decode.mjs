// llama.cpp on the same weights, by the prebuilt binary of the package node-llama-cpp: plain greedy decoding.
// Speaks the bench's protocol; LLAMA_PACKAGES names the folder whose node_modules hold the package.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const packages = createRequire(join(process.env.LLAMA_PACKAGES, 'package.json'));
const { getLlama } = await import(pathToFileURL(packages.resolve('node-llama-cpp')).href);
const version = JSON.parse(
  readFileSync(join(process.env.LLAMA_PACKAGES, 'node_modules/node-llama-cpp/package.json'), 'utf8'),
).version;

async function open({ folder, rows, threads }) {
  const { decoding } = JSON.parse(readFileSync(join(folder, 'work.json'), 'utf8'));
  const prompts = rows.map((row) => decoding.prompts[row]);
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: join(folder, 'model.gguf'), gpuLayers: 0 });
  const longest = Math.max(...prompts.map((prompt) => prompt.length)) + decoding.tokens;
  const sizes = { sequences: rows.length, contextSize: Math.ceil((longest + 1) / 256) * 256 };
  // its cache is float16 by default, which answers in other words
  const exact = {
    experimentalKvCacheKeyType: 'F32',
    experimentalKvCacheValueType: 'F32',
    flashAttention: false,
  };
  const context = await model.createContext({ ...sizes, ...exact, batchSize: 512, threads });
  const sequences = prompts.map(() => context.getSequence());
  const release = llama.llamaCppRelease.release;
  return {
    result: { versions: { 'llama.cpp': release, 'node-llama-cpp': version }, threads },
    // rows of a batch go on together: each waits for its next word, and the context takes what is waiting at once
    async answer(testCase) {
      const count = testCase === 'prefill' ? 1 : decoding.tokens;
      const words = await Promise.all(
        sequences.map((sequence, row) => decode(sequence, prompts[row], count)),
      );
      return words.flat();
    },
    async forget() {
      for (const sequence of sequences) await sequence.clearHistory();
    },
  };
}

async function decode(sequence, prompt, count) {
  const words = [];
  for await (const word of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    words.push(word);
    if (words.length === count) break;
  }
  return words;
}

function memory() {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return { peakBytes: line ? Number(line[1]) * 1024 : null };
  } catch {
    return { peakBytes: null };
  }
}

async function timed(testCase) {
  await work.forget();
  const begin = performance.now();
  const values = await work.answer(testCase);
  return { values, seconds: (performance.now() - begin) / 1000 };
}

// a turn repeats what is short for so long, and gives the mean
const LEAST_SECONDS = 0.5;
let work;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  try {
    let result;
    if (method === 'open') {
      work = await open(params);
      result = work.result;
    } else if (method === 'memory') result = memory();
    // it offers no matrix product by itself
    else if (method === 'gemm') result = { gflops: null };
    else if (method === 'check') result = { values: (await timed(params.case)).values };
    else {
      let [count, sum] = [0, 0];
      while (sum < LEAST_SECONDS) {
        sum += (await timed(params.case)).seconds;
        count++;
      }
      result = { seconds: sum / count };
    }
    process.stdout.write(`${JSON.stringify({ id, result })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ id, error: error.message })}\n`);
  }
}
