import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectEngine } from '@latent-sft/tensorflow';
import { evaluateAnswerer, loadAnswerer, loadRunData, parseRecipe, runRecipe } from '@latent-sft/training';

await selectEngine('auto');
const data = { source: 'modular-arithmetic', operations: 2, train: 64, validation: 16, test: 20 };
const stages = { cot: { steps: 20 }, union: { steps: 10 }, student: { steps: 10 } };
const recipe = parseRecipe({ name: 'sums', data, stages, model: { width: 16, layers: 1 } });

const folder = join(mkdtempSync(join(tmpdir(), 'runs-')), recipe.name);
await runRecipe(recipe, folder); // again: finished stages are skipped, a stopped one goes on
const answerer = await loadAnswerer(folder, 'latent');
const { report } = evaluateAnswerer(answerer, (await loadRunData(recipe)).test);
answerer.dispose();
console.log(`${report.items} questions`); //=> 20 questions
