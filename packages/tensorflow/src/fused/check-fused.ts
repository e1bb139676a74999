import { runProgram } from '../programs.js';

const CHECK = `
const [binding] = process.argv.slice(1).map((file) => require(file));
const numbers = binding.createTensor([2], binding.TF_FLOAT, Float32Array.of(0, 1));
const [gated] = binding.executeOp('LatentSwiglu', [], [numbers, numbers], 1);
const [zero, one] = binding.tensorDataSync(gated.id);
if (zero !== 0 || Math.abs(one - 1 / (1 + Math.exp(-1))) > 1e-6) throw new Error('swiglu came out as ' + [zero, one]);
`;

/**
 * Runs one fused operation in a process of its own, so that an addon that crashes cannot take the caller with it.
 *
 * @throws if the addon does not load, or computes something else.
 */
export async function checkFused(binding: string, addon: string): Promise<void> {
  await runProgram(process.execPath, ['-e', CHECK, binding, addon], {
    ...process.env,
    NODE_OPTIONS: '',
    TF_CPP_MIN_LOG_LEVEL: '3',
  });
}
