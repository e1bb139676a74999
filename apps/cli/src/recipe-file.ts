import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PRESETS, parseRecipe, type Recipe } from '@latent-sft/training';
import { parse } from 'yaml';
import { asInput, InputError } from './errors.js';

/** The recipe that `latent-sft demo` trains. */
export const DEMO_RECIPE = fileURLToPath(new URL('../recipes/demo.yaml', import.meta.url));

/**
 * Reads a recipe, changes single settings, checks it and writes every default out.
 *
 * @param changes `stages.student.steps=10` and the like; values are YAML
 * @throws InputError if the file is missing or not YAML, or a setting is unknown or not what its key expects.
 */
export function loadRecipe(file: string, changes: readonly string[] = []): Recipe {
  const written = parseYaml(readText(file), file);
  return resolvedWith(written, changes, file);
}

/**
 * The recipe of a preset alone, on the demo's data.
 *
 * @throws InputError if there is no such preset, or a setting is unknown or not what its key expects.
 */
export function loadPreset(preset: string, changes: readonly string[] = []): Recipe {
  if (!PRESETS.some((known) => known === preset)) {
    throw new InputError(`expected --preset to be one of ${PRESETS.join(', ')}, got ${preset}`);
  }
  const { data } = parseYaml(readText(DEMO_RECIPE), DEMO_RECIPE) as { data: unknown };
  return resolvedWith({ name: preset, preset, data }, changes, `preset ${preset}`);
}

function resolvedWith(written: unknown, changes: readonly string[], source: string): Recipe {
  if (changes.length === 0) return asInput(() => parseRecipe(written, source));
  // a preset fills in what is not written, so it has to be there before everything is
  const [presets, others] = [changes.filter(setsPreset), changes.filter((change) => !setsPreset(change))];
  const changed = others.reduce(withSetting, resolved(presets.reduce(withSetting, written)));
  return asInput(() => parseRecipe(changed, `${source} with --set ${changes.join(' ')}`));
}

const setsPreset = (change: string) => change.startsWith('preset=');

/** With every default, so that a change keeps its neighbours; as it is if a change has to mend it first. */
function resolved(written: unknown): unknown {
  try {
    return parseRecipe(written);
  } catch {
    return written;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`expected a recipe at ${file}, got ${code === 'ENOENT' ? 'no such file' : code}`);
  }
}

function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [reason] = (error as Error).message.split(':\n');
    throw new InputError(`expected YAML in ${source}, got something else: ${reason}`);
  }
}

/** A copy with one setting changed; whether there is such a setting is the schema's to say. */
function withSetting(recipe: unknown, change: string): unknown {
  const equals = change.indexOf('=');
  if (equals < 1) throw new InputError(`expected --set key=value, got ${change}`);
  const keys = change.slice(0, equals).split('.');
  return replaced(recipe, keys, parseYaml(change.slice(equals + 1), `--set ${change}`));
}

function replaced(node: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  const fields = typeof node === 'object' && node !== null && !Array.isArray(node) ? node : {};
  const inner = (fields as Record<string, unknown>)[key!];
  return { ...fields, [key!]: rest.length === 0 ? value : replaced(inner, rest, value) };
}
