import { runCommandLine } from '../src/program.js';

/** What one command line did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function latentSft(words: readonly string[], onNote?: (text: string) => void): Promise<Outcome> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(words, {
    result: (text) => {
      out += `${text}\n`;
    },
    note: (text) => {
      err += text;
      onNote?.(text);
    },
    interactive: false,
    columns: 100,
  });
  return { code, out, err };
}

/** The one sentence that a failing command ends with. */
export function sentenceOf({ err }: Outcome): string {
  const lines = err.trimEnd().split('\n');
  const said = lines.filter((line) => line.startsWith('latent-sft: '));
  if (said.length !== 1 || lines.at(-1) !== said[0])
    throw new Error(`expected one last sentence, got:\n${err}`);
  return said[0]!;
}
