import { readFileSync } from 'node:fs';
import { parseRecipe } from '@latent-sft/training';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../src/program.js';
import { latentSft } from './command-line.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text!);

describe('README', () => {
  for (const block of blocks('console')) {
    const [command, ...printed] = block.split('\n');
    it(`shows what ${command} prints`, async () => {
      const { out, err } = await latentSft(command!.split(' ').slice(2));
      // the folder that the demo's recipe is in differs from machine to machine
      const found = `${out}${err}`.replaceAll(/\S*\/demo\.yaml/g, 'demo.yaml');
      expect(found).toBe(printed.join('\n'));
    });
  }

  it('shows a valid recipe', () => {
    expect(blocks('yaml')).toHaveLength(1);
    expect(parseRecipe(parse(blocks('yaml')[0]!)).stages.union.steps).toBe(400);
  });

  it('names every command', () => {
    const terminal = { result: () => {}, note: () => {}, interactive: false, columns: 100 };
    const named = [...readme.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name!);
    const commands = buildProgram(terminal).commands.map((command) => command.name());
    expect(named.sort()).toEqual(commands.sort());
  });
});
