import type { Tokenizer } from '@latent-sft/data';
import type { ModelConfig, NamedArray, StoredType } from '@latent-sft/model';
import type { AnswerStage } from '@latent-sft/training';
import { startEngine } from '../engine.js';
import { asInput, asInputLater, InputError } from '../errors.js';
import type { GlobalOptions } from '../options.js';
import { openModel } from '../pretrained-model.js';
import type { Terminal } from '../terminal.js';

/** What an export writes, and how. */
export interface Export {
  /** In a few words. */
  readonly about: string;
  /** Puts the files into a folder that is there. */
  write(folder: string): void;
}

/**
 * A trained stage as a model folder, its adapter merged.
 *
 * @throws InputError if there is no such stage, or its pretrained model is not there or another one by now.
 */
export async function exportTrained(
  run: string,
  stage: AnswerStage,
  type: StoredType,
  options: GlobalOptions,
): Promise<Export> {
  const { trainedStage, trainedWeights } = await import('@latent-sft/training');
  const trained = asInput(() => trainedStage(run, stage));
  // merging is a product of matrices, and is done in full precision
  if (trained.recipe.tuning.method === 'lora') await startEngine({ ...options, precision: 'float32' });
  const model = await asInputLater(() => trainedWeights(trained));
  return modelExport({ ...model, tokenizer: trained.tokenizer }, type);
}

/**
 * The adapter of a trained stage as the PEFT library opens it.
 *
 * @throws InputError if the stage was trained without one, or transformers has no place for it.
 */
export async function exportAdapter(run: string, stage: AnswerStage, terminal: Terminal): Promise<Export> {
  const { trainedStage } = await import('@latent-sft/training');
  const { ADAPTER_FILES, loadAdapterFolder } = await import('@latent-sft/model');
  const { copyFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { recipe, folder } = asInput(() => trainedStage(run, stage));
  if (recipe.tuning.method !== 'lora' || recipe.model.source !== 'pretrained') {
    throw new InputError(
      `expected a run with tuning.method lora for --adapter, got ${recipe.tuning.method}; without --adapter the whole model is written`,
    );
  }
  const { settings } = asInput(() => loadAdapterFolder(folder));
  const base = recipe.model.from;
  const { config } = await openModel(base, terminal);
  checkPlaces(config, settings.targets);
  return {
    about: `a LoRA adapter of rank ${settings.rank} for ${base}`,
    write: (target) => {
      for (const name of Object.values(ADAPTER_FILES)) copyFileSync(join(folder, name), join(target, name));
    },
  };
}

/** Merged, such adapters open; beside the weights, PEFT would refuse the first and read the second as another model. */
function checkPlaces({ architecture, tiedEmbeddings }: ModelConfig, targets: readonly string[]): void {
  const without = 'without --adapter the model is written with it merged';
  if (architecture === 'gpt2') {
    throw new InputError(
      `expected a model whose query, key and value are maps of their own in transformers for --adapter, got gpt2; ${without}`,
    );
  }
  if (tiedEmbeddings && targets.includes('embed_tokens')) {
    throw new InputError(
      `expected an adapter that is not on a table which is the output's too for --adapter, got one on embed_tokens; ${without}`,
    );
  }
}

/**
 * A pretrained model in whatever form as a model folder.
 *
 * @throws InputError if there is none, or no tokenizer with it.
 */
export async function exportPretrained(
  reference: string,
  type: StoredType,
  terminal: Terminal,
): Promise<Export> {
  const { config, weights, tokenizer } = await openModel(reference, terminal);
  return modelExport({ config, weights, tokenizer: await tokenizer() }, type);
}

interface WholeModel {
  readonly config: ModelConfig;
  readonly weights: Map<string, NamedArray>;
  readonly tokenizer: Tokenizer;
}

async function modelExport({ config, weights, tokenizer }: WholeModel, type: StoredType): Promise<Export> {
  const { saveModelFolder } = await import('@latent-sft/model');
  const { generationTokenIds, saveTokenizer } = await import('@latent-sft/data');
  const parameters = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  return {
    about: `${config.architecture}, ${parameters.toLocaleString('en-US')} parameters in ${type}`,
    write: (folder) => {
      saveModelFolder(folder, config, weights, generationTokenIds(tokenizer), type);
      saveTokenizer(tokenizer, folder);
    },
  };
}
