import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('transformers-logits.py', import.meta.url));
const FIND = `
import sys
from importlib.util import find_spec
sys.exit(0 if find_spec("torch") and find_spec("transformers") else 1)
`;

/** A Python with torch and transformers: `LATENT_SFT_PYTHON`, else python3; undefined where it has them not. */
export const pythonWithTransformers = [process.env.LATENT_SFT_PYTHON ?? 'python3'].find(
  (python) => spawnSync(python, ['-c', FIND]).status === 0,
);

/** Loading PyTorch alone takes up to a minute where the machine is busy. */
export const TRANSFORMERS_TIMEOUT_MS = 300_000;

/** The logits [T, V] that transformers gives for each folder and text. */
export function transformersLogits(
  cases: readonly { readonly folder: string; readonly ids: readonly number[] }[],
): number[][][] {
  const { status, stdout, stderr } = spawnSync(pythonWithTransformers!, [SCRIPT], {
    input: JSON.stringify(cases),
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`transformersLogits: expected logits, got ${stderr}`);
  let offset = 0;
  const next = (bytes: number) => {
    offset += bytes;
    return stdout.subarray(offset - bytes, offset);
  };
  return cases.map(() => {
    const head = next(8);
    const [length, vocabulary] = [head.readInt32LE(0), head.readInt32LE(4)];
    return Array.from({ length }, () => {
      const row = new Uint8Array(next(4 * vocabulary)); // a copy, aligned
      return [...new Float32Array(row.buffer)];
    });
  });
}
