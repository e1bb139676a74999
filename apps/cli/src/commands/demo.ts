import { join } from 'node:path';
import type { Command } from 'commander';
import { engineInWords, startEngine } from '../engine.js';
import { type GlobalOptions, wholeNumber } from '../options.js';
import type { Terminal } from '../terminal.js';

interface DemoOptions extends GlobalOptions {
  readonly seed: number;
  readonly fresh?: boolean;
}

export function addDemo(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description(
      'train a small model to reason in latents, stage by stage, and compare it with and without them',
    )
    .option('--seed <number>', 'of data, weights and noise', wholeNumber(0), 0)
    .option('--fresh', 'begin anew, without what an earlier demo trained')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<DemoOptions>();
      const { seed } = options;
      const { DEMO_RECIPE, loadRecipe } = await import('../recipe-file.js');
      const { drawDemo, runDemo } = await import('../demo/run-demo.js');
      const recipe = loadRecipe(DEMO_RECIPE, [`seed=${seed}`]);
      const folder = join('runs', seed === 0 ? recipe.name : `${recipe.name}-seed-${seed}`);
      const engine = await startEngine(options);
      terminal.note(`${engineInWords(engine)}\n`);
      const result = await runDemo(recipe, folder, { engine, terminal, fresh: options.fresh ?? false });
      if (!options.json) terminal.result(drawDemo(result));
      else terminal.result(JSON.stringify(result.table));
    });
}
