import { readFileSync } from 'node:fs';

const REPORTED = [
  'sse4_2',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx512f',
  'avx512bw',
  'avx512vl',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'avx_vnni',
  'amx_tile',
  'amx_bf16',
  'amx_int8',
] as const;

/** The vector instruction sets of this processor that numeric code cares about; empty if unknown. */
export function instructionSets(): string[] {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(processorDescription())?.[1]?.split(' '));
  return REPORTED.filter((name) => flags.has(name));
}

/** The processor's own name, or null where the system does not say. */
export function processorModel(): string | null {
  return /^model name\s*:\s*(.*)$/m.exec(processorDescription())?.[1]?.trim() ?? null;
}

function processorDescription(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
