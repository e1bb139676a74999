import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import type { GlobalOptions } from '../options.js';
import type { Terminal } from '../terminal.js';

interface RecipeOptions extends GlobalOptions {
  readonly schema?: boolean;
  readonly defaults?: boolean;
  readonly recipe?: string;
  readonly preset?: string;
  readonly set: readonly string[];
}

export function addRecipe(program: Command, terminal: Terminal): void {
  program
    .command('recipe')
    .description('what a recipe may hold, or a recipe with every default written out')
    .addOption(new Option('--schema', 'the JSON Schema, for editors').conflicts('defaults'))
    .option('--defaults', 'the resolved recipe: YAML, or JSON with --json')
    .option('--recipe <file>', "whose defaults (default: the demo's)")
    .addOption(
      new Option('--preset <name>', 'default, paper-v1, paper-v2 or official-code, alone').conflicts(
        'recipe',
      ),
    )
    .option('--set <key=value...>', 'change a setting, as in stages.student.steps=10', [])
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<RecipeOptions>();
      if (options.schema) {
        const { recipeJsonSchema } = await import('@latent-sft/training');
        return terminal.result(JSON.stringify(recipeJsonSchema(), null, 2));
      }
      if (!options.defaults) throw new InputError('expected recipe with --schema or --defaults, got neither');
      const { DEMO_RECIPE, loadPreset, loadRecipe } = await import('../recipe-file.js');
      const { stringify } = await import('yaml');
      const recipe =
        options.preset === undefined
          ? loadRecipe(options.recipe ?? DEMO_RECIPE, options.set)
          : loadPreset(options.preset, options.set);
      terminal.result(options.json ? JSON.stringify(recipe) : stringify(recipe).trimEnd());
    });
}
