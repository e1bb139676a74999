import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Tokenizer, tokenizeRecord } from '@latent-sft/data';
import { writeFileAtomically } from '@latent-sft/model';
import { stringify } from 'yaml';
import type { Recipe } from '../recipe/recipe.js';
import { sha256OfJson } from '../run/digest.js';
import { openRun } from '../run/run-folder.js';
import { modelConfigOf, type StageContext } from '../stages/stage-context.js';
import type { ActiveRun, RunObserver } from './active-run.js';
import { makeLabels } from './make-labels.js';
import { makeStage } from './make-stage.js';
import { loadRunData, type RunData } from './run-data.js';
import { stagesOf } from './stage-files.js';

/**
 * Runs every stage of a recipe in a folder: finished stages are skipped by hash, a stopped one goes on from its
 * last checkpoint, one whose inputs changed is made anew.
 *
 * @param folder made if it is not there
 * @throws if the folder belongs to another recipe or is being written by another process.
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
  const data = options.data ?? loadRunData(recipe);
  const config = modelConfigOf(recipe, data.tokenizer.vocabulary.length);
  const tokens = (records: typeof data.train) =>
    records.map((record) => tokenizeRecord(record, data.tokenizer, recipe.segmenter));
  const context: StageContext = {
    recipe,
    config,
    tokenizer: data.tokenizer,
    train: tokens(data.train),
    validation: tokens(data.validation),
    validationRecords: data.validation.slice(0, recipe.evaluation.validationItems),
  };
  const run = openRun(folder, stringify(recipe));
  try {
    writeTokenizer(folder, data.tokenizer);
    run.events.append({
      type: 'data',
      train: data.train.length,
      validation: data.validation.length,
      test: data.test.length,
      removed: data.removed,
      trainSha256: data.digests.train,
      validationSha256: data.digests.validation,
      testSha256: data.digests.test,
    });
    const active: ActiveRun = {
      run,
      context,
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
}

function writeTokenizer(folder: string, tokenizer: Tokenizer): void {
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) writeFileAtomically(file, [Buffer.from(`${JSON.stringify(tokenizer.toJSON())}\n`)]);
}
