import { join } from 'node:path';
import type { Command } from 'commander';
import { engineInWords, startEngine } from '../engine.js';
import { type GlobalOptions, given } from '../options.js';
import type { Terminal } from '../terminal.js';

interface TrainOptions extends GlobalOptions {
  readonly recipe?: string;
  readonly run?: string;
  readonly set: readonly string[];
}

export function addTrain(program: Command, terminal: Terminal): void {
  program
    .command('train')
    .description('train every stage of a recipe; finished stages are skipped, a stopped one goes on')
    .option('--recipe <file>', 'YAML recipe (required)')
    .option('--run <folder>', "where to train (default: runs/<the recipe's name>)")
    .option('--set <key=value...>', 'change a setting of the recipe, as in stages.student.steps=10', [])
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<TrainOptions>();
      const { loadRecipe } = await import('../recipe-file.js');
      const changes = options.precision ? [...options.set, `precision=${options.precision}`] : options.set;
      const recipe = loadRecipe(given(options.recipe, '--recipe <file>'), changes);
      const folder = options.run ?? join('runs', recipe.name);
      const [{ trainRun }, { stageSummaries }, { drawStageCosts }] = await Promise.all([
        import('../train-run.js'),
        import('../stage-summaries.js'),
        import('../output/costs.js'),
      ]);
      const engine = await startEngine(options, recipe.precision);
      terminal.note(`${engineInWords(engine)}\n`);
      await trainRun(recipe, folder, terminal);
      const stages = stageSummaries(folder);
      if (options.json) return terminal.result(JSON.stringify({ run: folder, stages }));
      terminal.result(`trained ${folder}: ${stages.map(({ stage }) => stage).join(', ')}`);
      terminal.result(`\n${drawStageCosts(stages)}`);
    });
}
