import type { BenchReport, PeerResult } from '../results.js';
import type { PeerName } from '../suites/suite.js';
import { drawTable } from './draw-table.js';

/** What decoding takes step by step, from differences of medians: a run without the steps is taken from one with them. */
export interface DecodingSteps {
  readonly shape: string;
  readonly batch: number;
  readonly peer: PeerName;
  readonly msPrefill: number;
  readonly msPerLatent: number;
  readonly msPerToken: number;
  readonly msPerQuestion: number;
}

/**
 * Times of a latent step and of a word, of all rows of a batch together; peers with a void case are left out.
 *
 * @param latents of a question, and `tokens` its words, the first of which comes with the prompt
 */
export function decodingSteps(report: Pick<BenchReport, 'cases' | 'settings'>): DecodingSteps[] {
  const { latents, tokens } = report.settings as { latents: number; tokens: number };
  const decoded = report.cases.filter(({ suite }) => suite === 'decode');
  return decoded
    .filter(({ name }) => name === 'prefill')
    .flatMap(({ shape, examples, peers }) =>
      peers.flatMap(({ peer }) => {
        const median = (name: string) => {
          const found = decoded.find(
            (one) => one.name === name && one.shape === shape && one.examples === examples,
          );
          const result: PeerResult | undefined = found?.peers.find((one) => one.peer === peer);
          return (result?.seconds?.median ?? Number.NaN) * 1000;
        };
        const msPrefill = median('prefill');
        const steps = {
          msPrefill,
          msPerLatent: (median('latents') - msPrefill) / latents,
          msPerToken: (median('tokens') - msPrefill) / (tokens - 1),
          msPerQuestion: median('question'),
        };
        const whole = Object.values(steps).every(Number.isFinite);
        return whole ? [{ shape: shape!, batch: examples, peer, ...steps }] : [];
      }),
    );
}

/** The same as a table; empty where nothing was decoded. */
export function decodingTable(report: Pick<BenchReport, 'cases' | 'settings'>): string {
  const rows = decodingSteps(report);
  if (rows.length === 0) return '';
  const head = ['decode', 'batch', 'peer', 'prompt', 'a latent', 'a word', 'question'];
  const ms = (value: number) => `${value.toPrecision(3)} ms`;
  const cells = rows.map((row) => [
    row.shape,
    `${row.batch}`,
    row.peer,
    ms(row.msPrefill),
    ms(row.msPerLatent),
    ms(row.msPerToken),
    ms(row.msPerQuestion),
  ]);
  return `from differences of medians, all rows of a batch together:\n${drawTable(head, cells)}`;
}
