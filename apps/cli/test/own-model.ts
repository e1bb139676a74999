import { readFileSync } from 'node:fs';
import { modularArithmetic } from '@latent-sft/data';
import { writeTinyPretrained } from '../../../packages/training/test/tiny-pretrained.js';
import { write } from './tiny-run.js';

const page = readFileSync(new URL('../../../docs/your-own-model.md', import.meta.url), 'utf8');

/** The blocks of docs/your-own-model.md in a language, in order. */
export function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text!);
}

/** Settings that train the page's recipe in a second. */
export const IN_A_SECOND = [
  ...['no-cot', 'cot', 'union', 'student'].map(
    (stage) => `stages.${stage}={steps: 2, batch: 4, validateEvery: 2}`,
  ),
  'tuning.rank=2',
  'latent.maxLatents=4',
  'latent.support=4',
  'evaluation.maxTokens=8',
  'evaluation.validationItems=4',
];

/** Someone's folder: `my-model`, `train.csv` that begins with the page's rows, `test.csv` and `mine.yaml`. */
export function writeOwnFiles(folder: string): void {
  writeTinyPretrained(`${folder}/my-model`);
  const records = modularArithmetic({ operations: 2 }).generate(40, 5);
  const rows = records.map(({ question, steps, answer }, i) =>
    [i + 10, question, `"${steps.join('\n')}"`, answer].join(','),
  );
  const train = blocks('csv')[0]!;
  write(folder, 'train.csv', [train.trimEnd(), ...rows.slice(8)].join('\n'));
  const asked = records.slice(0, 8).map(({ question, answer }) => `${question},${answer}`);
  write(folder, 'test.csv', ['q,label', ...asked].join('\n'));
  write(folder, 'mine.yaml', blocks('yaml')[0]!);
}

/** A command line as words; what stands in double quotes is one. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}
