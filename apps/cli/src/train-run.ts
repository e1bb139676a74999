import {
  loadRunData,
  type Recipe,
  type RunData,
  runRecipe,
  stagesOf,
  type Validation,
} from '@latent-sft/training';
import { asInputLater, describeError } from './errors.js';
import { Progress, trainingProgress } from './output/progress.js';
import type { Terminal } from './terminal.js';

/**
 * Trains a recipe in a run folder with progress on standard error. The first Ctrl-C ends it after the current step
 * with a checkpoint, a second one at once.
 *
 * @param introduce what to say before a stage begins
 * @throws StoppedError after Ctrl-C.
 */
export async function trainRun(
  recipe: Recipe,
  folder: string,
  terminal: Terminal,
  introduce: (stage: string) => string | null = () => null,
): Promise<RunData> {
  const progress = new Progress(terminal);
  const data = await asInputLater(async () => {
    const loaded = await loadRunData(recipe, (sentence) => progress.say(sentence));
    if (recipe.data.source === 'files' && recipe.tokenizer !== 'model') requireKnownWords(loaded);
    return loaded;
  });
  progress.say(describeData(data, folder));
  const stages: readonly string[] = stagesOf(recipe);
  let validation: Validation | undefined;
  const stop = new AbortController();
  const interrupt = () => {
    progress.say('stopping after this step; Ctrl-C again stops at once');
    stop.abort();
  };
  // once: the second Ctrl-C meets Node's own handler, which ends the process
  process.once('SIGINT', interrupt);
  try {
    await runRecipe(recipe, folder, {
      data,
      signal: stop.signal,
      observer: {
        onStage(stage, action, about) {
          const place = `[${stages.indexOf(stage) + 1}/${stages.length}] ${stage}`;
          if (action === 'done') return progress.say(`${place}: ${about}`);
          if (action === 'skip') return progress.say(`${place}: already made`);
          const introduction = introduce(stage);
          if (introduction) progress.say(`\n${introduction}`);
          if (action === 'resume') return progress.say(`${place}: going on from its last checkpoint`);
          if (about) progress.say(`${place}: made anew, since this changed: ${about}`);
          validation = undefined;
          progress.begin(stage);
        },
        onWarning: (sentence) => progress.say(`warning: ${describeError(new Error(sentence), false)}`),
        onStep: (step) => {
          validation = step.validation ?? validation;
          progress.update(trainingProgress(validation ? { ...step, validation } : step));
        },
      },
    });
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
  return data;
}

/** Files may hold words out of training that training does not; better known before hours of it. */
function requireKnownWords({ validation, test, tokenizer }: RunData): void {
  for (const { question, steps, answer } of [...validation, ...test]) {
    for (const text of [question, ...steps, answer]) tokenizer.encode(text);
  }
}

function describeData({ train, validation, test, removed, digests }: RunData, folder: string): string {
  const sizes = `${train.length} training, ${validation.length} validation, ${test.length} test questions`;
  const left = removed > 0 ? ` (${removed} left out of training for that)` : '';
  const hashes = Object.entries(digests).map(
    ([split, sha256]) => `\n  ${split.padEnd(10)}  sha256 ${sha256}`,
  );
  return `run ${folder}: ${sizes}; none of validation and test is in training, by hash${left}${hashes.join('')}`;
}
