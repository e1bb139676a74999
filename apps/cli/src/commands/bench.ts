import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { asInput, InputError } from '../errors.js';
import { type GlobalOptions, wholeNumber } from '../options.js';
import type { Terminal } from '../terminal.js';

interface BenchCommandOptions extends GlobalOptions {
  readonly suite: string;
  readonly shape: 'demo' | 'smollm2' | 'both';
  readonly rounds: number;
  readonly warmUps: number;
  readonly peers?: readonly string[];
  readonly weights: string;
  readonly seed: number;
  readonly layers?: number;
  readonly batch?: number;
  readonly latents: number;
  readonly tokens: number;
  readonly output?: string;
}

export function addBench(program: Command, terminal: Terminal): void {
  program
    .command('bench')
    .description('measures this project against PyTorch on the same work and cores, once their losses agree')
    .option(
      '--suite <name>',
      'stage1, stage2, decode, labels, kernels, scaling, or all that are built',
      'all',
    )
    .addOption(
      new Option('--shape <name>', 'of the model').choices(['demo', 'smollm2', 'both']).default('both'),
    )
    .option(
      '--rounds <count>',
      'timed runs of each peer, in turns, and more until 1 s of each',
      wholeNumber(1),
      5,
    )
    .option(
      '--warm-ups <count>',
      'runs of each before, and more until 1.5 s of each; none after a check of 10 s',
      wholeNumber(0),
      1,
    )
    .option('--peers <names...>', 'peers beside ourselves (default: all that a suite has)')
    .option('--weights <reference>', 'random, or a model of the shape', 'random')
    .option('--seed <number>', 'of random weights and words', wholeNumber(0), 1)
    .option('--layers <count>', 'of the model, fewer than the shape has', wholeNumber(1))
    .option('--batch <count>', 'examples a step (default: 64 of demo, 8 of smollm2)', wholeNumber(1))
    .option('--latents <count>', 'latents of a decoded question', wholeNumber(1), 16)
    .option('--tokens <count>', 'answer tokens of a decoded question', wholeNumber(2), 16)
    .option(
      '--output <file>',
      'writes the report there too, after every case: JSON, or tables where it ends with .md',
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<BenchCommandOptions>();
      if (options.precision === 'bfloat16-products') {
        throw new InputError('expected --precision float32, as peers compute in it, got bfloat16-products');
      }
      const { caseTable, checkOptions, decodingTable, markdownReport, reportHeading, runBench, ...bench } =
        await import('@latent-sft/bench');
      const { layers, batch, peers, rounds, warmUps, backend, weights, seed, latents, tokens } = options;
      const wanted = {
        ...{ layers, batch, rounds, warmUps, backend, weights, seed, latents, tokens },
        suites: asInput(() => bench.suitesNamed(options.suite)),
        shapes: options.shape === 'both' ? (['demo', 'smollm2'] as const) : [options.shape],
        threads: options.threads ?? availableParallelism(),
        peers: peers as Parameters<typeof runBench>[0]['peers'],
      };
      asInput(() => checkOptions(wanted));
      const { writeFileAtomically } = await import('@latent-sft/model');
      // after every case, so that an hour's work outlives what ends it
      const write = (report: Parameters<typeof markdownReport>[0]) => {
        if (options.output === undefined) return;
        const written = options.output.endsWith('.md')
          ? markdownReport(report)
          : `${JSON.stringify(report, null, 2)}\n`;
        writeFileAtomically(options.output, [Buffer.from(written)]);
      };
      const report = await runBench(wanted, {
        onProgress: (sentence) => terminal.note(`${sentence}\n`),
        onCase: (result, soFar) => {
          if (!options.json) terminal.result(`${caseTable(result)}\n`);
          write(soFar);
        },
      });
      write(report);
      const decoding = decodingTable(report);
      const targets = bench.targetTable(report.targets);
      const summary = `${decoding && `${decoding}\n\n`}${targets}\n\n${reportHeading(report)}`;
      terminal.result(options.json ? JSON.stringify(report) : summary);
      if (report.voids > 0) {
        const [word, are] = report.voids === 1 ? ['comparison', 'is'] : ['comparisons', 'are'];
        throw new Error(
          `expected every peer to compute what we do, got ${report.voids} ${word} that ${are} void`,
        );
      }
    });
}
