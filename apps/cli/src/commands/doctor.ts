import type { Diagnosis, EngineReport, GemmSpeed } from '@latent-sft/tensorflow';
import type { Command } from 'commander';
import { engineInWords, startEngine } from '../engine.js';
import type { GlobalOptions } from '../options.js';
import type { Terminal } from '../terminal.js';

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('what this machine computes with, how fast, and what is missing')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { diagnose, measureGemm } = await import('@latent-sft/tensorflow');
      const diagnosis = await diagnose();
      const engine = await startEngine(options);
      const gemm = measureGemm();
      const result = options.json
        ? JSON.stringify({ ...engine, gemm, diagnosis })
        : report(engine, gemm, diagnosis);
      terminal.result(result);
      if (!diagnosis.healthy) {
        const { what, cure } = diagnosis.problems[0]!;
        throw new Error(`expected the native engine to run, got: ${what}; ${cure}`);
      }
    });
}

function report(
  engine: EngineReport,
  gemm: GemmSpeed,
  { processor, programs, cache, problems }: Diagnosis,
): string {
  const lines: readonly (readonly [string, string])[] = [
    ['engine', engineInWords(engine)],
    ['versions', `tfjs ${engine.tfjsVersion}, Node ${engine.nodeVersion}`],
    ['processor', `${processor.model ?? 'unknown'}, ${processor.cores} cores`],
    ['precision', precisionInWords(engine)],
    ['instruction sets', processor.instructionSets.join(' ') || 'none known'],
    [
      'matrix product',
      `${gemm.gflops512.toFixed(1)} GFLOP/s at 512, ${gemm.gflops1024.toFixed(1)} at 1024, measured now`,
    ],
    ['programs', programs.map(({ name, found }) => `${name} ${found ? 'found' : 'missing'}`).join(', ')],
    ['cache', `${cache.folder}, ${Math.round(cache.sizeBytes / 1e6)} MB`],
    ...problems.map(({ what, cure }) => ['missing', `${what}; ${cure}`] as const),
  ];
  const margin = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(margin)}  ${text}`).join('\n');
}

function precisionInWords({ backend, flavour, precision, instructionSets }: EngineReport): string {
  if (backend !== 'tensorflow' || flavour !== 'cpu') return precision;
  const fast = ['amx_bf16', 'avx512_bf16'].find((name) => instructionSets.includes(name));
  if (precision === 'float32')
    return fast ? `float32; --precision bfloat16-products would use ${fast}` : 'float32';
  return fast ? `${precision}, by ${fast}` : `${precision}, of which this processor makes float32`;
}
