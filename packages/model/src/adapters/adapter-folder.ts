import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../weights/atomic-file.js';
import type { NamedArray } from '../weights/named-array.js';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.js';
import { LORA_TARGETS, type LoraSettings, type LoraTarget } from './lora.js';

/** The files of an adapter, as the PEFT library names them. */
export const ADAPTER_FILES = { config: 'adapter_config.json', weights: 'adapter_model.safetensors' } as const;

const PREFIX = 'base_model.model.';
const TABLE = `${PREFIX}model.embed_tokens.`;

// What else would change the sum W + (alpha / rank) B A must be off.
const configSchema = z.object({
  peft_type: z.literal('LORA'),
  r: z.int().min(1),
  lora_alpha: z.number().positive(),
  target_modules: z.array(z.enum(LORA_TARGETS)).min(1),
  base_model_name_or_path: z.string().nullish(),
  use_rslora: z.literal(false).optional(),
  use_dora: z.literal(false).optional(),
  bias: z.literal('none').optional(),
});

/**
 * Saves an adapter in the form of the PEFT library.
 *
 * @param base what the adapter is of: a model reference
 * @throws if the folder cannot be written or the disk is full.
 */
export function saveAdapterFolder(
  folder: string,
  adapter: ReadonlyMap<string, NamedArray>,
  settings: LoraSettings & { readonly dropout: number },
  base: string,
): void {
  mkdirSync(folder, { recursive: true });
  const config = {
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    peft_type: 'LORA',
    r: settings.rank,
    target_modules: [...settings.targets],
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: false,
  };
  const named = new Map([...adapter].map(([name, array]) => [peftName(name), array]));
  writeSafetensors(join(folder, ADAPTER_FILES.weights), named, { format: 'pt' });
  const json = `${JSON.stringify(config, null, 2)}\n`;
  writeFileAtomically(join(folder, ADAPTER_FILES.config), [Buffer.from(json)]);
}

/**
 * Loads an adapter that `saveAdapterFolder` or the PEFT library wrote.
 *
 * @throws if the config is missing, no LoRA, or of a kind that changes the sum W + (alpha / rank) B A.
 * @throws if the weights are malformed.
 */
export function loadAdapterFolder(folder: string): {
  adapter: Map<string, NamedArray>;
  settings: LoraSettings;
} {
  const file = join(folder, ADAPTER_FILES.config);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`loadAdapterFolder: expected JSON in ${file}, got ${code ?? message}`);
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new Error(
      `loadAdapterFolder: expected a LoRA config in ${file}, got ${path.join('.')}: ${message}`,
    );
  }
  const { r, lora_alpha, target_modules } = parsed.data;
  const targets: readonly LoraTarget[] = target_modules;
  const weights = readSafetensors(join(folder, ADAPTER_FILES.weights));
  const adapter = new Map([...weights].map(([name, array]) => [ownName(name, folder), array]));
  return { adapter, settings: { rank: r, alpha: lora_alpha, targets } };
}

/** PEFT calls the two matrices of a table `lora_embedding_A` and `lora_embedding_B`, without `.weight`. */
function peftName(name: string): string {
  const full = `${PREFIX}${name}`;
  return full.startsWith(TABLE) ? full.replace(/\.lora_([AB])\.weight$/, '.lora_embedding_$1') : full;
}

function ownName(name: string, folder: string): string {
  const own = name.replace(/\.lora_embedding_([AB])$/, '.lora_$1.weight');
  if (!own.startsWith(PREFIX) || !/\.lora_[AB]\.weight$/.test(own)) {
    throw new Error(
      `loadAdapterFolder: expected LoRA tensors named ${PREFIX}... in ${folder}, got "${name}"`,
    );
  }
  return own.slice(PREFIX.length);
}
