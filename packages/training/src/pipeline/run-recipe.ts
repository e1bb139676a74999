import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Tokenizer } from '@latent-sft/data';
import { type ModelConfig, writeFileAtomically } from '@latent-sft/model';
import { stringify } from 'yaml';
import type { Recipe } from '../recipe/recipe.js';
import { sha256OfJson } from '../run/digest.js';
import { asInput } from '../run/input-error.js';
import { openRun, type Run } from '../run/run-folder.js';
import { freshModelConfig, type StageContext } from '../stages/stage-context.js';
import type { ActiveRun, RunObserver } from './active-run.js';
import { checkTokens } from './check-tokens.js';
import { makeLabels } from './make-labels.js';
import { makeStage } from './make-stage.js';
import { openPretrained, type Pretrained } from './pretrained.js';
import { loadRunData, type RunData } from './run-data.js';
import { stagesOf } from './stage-files.js';
import { type TokenizedRecords, tokenizeWithin } from './tokenize-within.js';

/**
 * Runs every stage of a recipe in a folder: finished stages are skipped by hash, a stopped one goes on from its
 * last checkpoint, one whose inputs changed is made anew.
 *
 * @param folder made if it is not there
 * @throws InputError if the data, the model or the folder cannot be used; a folder that was not there is not made then.
 * @throws if another process is writing the run.
 * @throws if a stage fails; the folder can be run again.
 */
export async function runRecipe(
  recipe: Recipe,
  folder: string,
  options: {
    /** The recipe's records, if they are loaded already. */
    readonly data?: RunData;
    readonly signal?: AbortSignal;
    readonly observer?: RunObserver;
  } = {},
): Promise<void> {
  const { data, train, validation, pretrained } = await asInput(() => prepare(recipe, options.data));
  try {
    const run = openRun(folder, stringify(recipe));
    try {
      writeTokenizer(folder, data.tokenizer);
      const context: StageContext = {
        recipe,
        config: pretrained?.config ?? freshConfig(recipe, data.tokenizer),
        tokenizer: data.tokenizer,
        base: pretrained?.frozen ?? null,
        train: train.examples,
        validation: validation.examples,
        validationRecords: validation.records.slice(0, recipe.evaluation.validationItems),
      };
      noteData(run, data, [train, validation]);
      for (const { warning } of [train, validation]) if (warning) options.observer?.onWarning?.(warning);
      const active: ActiveRun = {
        run,
        context,
        pretrained,
        dataDigest: sha256OfJson(data.digests),
        signal: options.signal,
        observer: options.observer ?? {},
      };
      for (const stage of stagesOf(recipe)) {
        if (stage === 'labels') await makeLabels(active);
        else await makeStage(active, stage);
      }
    } finally {
      run.close();
    }
  } finally {
    pretrained?.dispose();
  }
}

/** Everything that a run needs before it has a folder. */
interface Prepared {
  readonly data: RunData;
  readonly train: TokenizedRecords;
  readonly validation: TokenizedRecords;
  /** The caller disposes it. */
  readonly pretrained: Pretrained | null;
}

async function prepare(recipe: Recipe, loaded: RunData | undefined): Promise<Prepared> {
  const data = loaded ?? (await loadRunData(recipe));
  const train = tokenizeWithin(recipe, data.tokenizer, data.train, 'training');
  const validation = tokenizeWithin(recipe, data.tokenizer, data.validation, 'validation');
  if (data.modelPath === null) return { data, train, validation, pretrained: null };
  const pretrained = await openPretrained(recipe, data.modelPath);
  try {
    checkTokens(pretrained.config, data.tokenizer, [...train.examples, ...validation.examples]);
  } catch (error) {
    pretrained.dispose();
    throw error;
  }
  return { data, train, validation, pretrained };
}

function noteData(run: Run, data: RunData, tokenized: readonly TokenizedRecords[]): void {
  const count = (what: 'dropped' | 'cut') => tokenized.reduce((sum, { tooLong }) => sum + tooLong[what], 0);
  run.events.append({
    type: 'data',
    train: data.train.length,
    validation: data.validation.length,
    test: data.test.length,
    removed: data.removed,
    trainSha256: data.digests.train,
    validationSha256: data.digests.validation,
    testSha256: data.digests.test,
    dropped: count('dropped'),
    cut: count('cut'),
  });
}

function freshConfig({ model }: Recipe, tokenizer: Tokenizer): ModelConfig {
  if (model.source !== 'fresh') throw new Error(`runRecipe: expected the path of ${model.from}, got none`);
  return freshModelConfig(model, tokenizer.vocabulary.length);
}

function writeTokenizer(folder: string, tokenizer: Tokenizer): void {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) writeFileAtomically(file, [Buffer.from(`${JSON.stringify(tokenizer.toJSON())}\n`)]);
}
