import { writeFileSync } from 'node:fs';
import type { MaskName } from '@latent-sft/masks';
import type { Layout, LayoutKind, LayoutSizes } from '@latent-sft/segmentation';
import { type Command, Option } from 'commander';
import { asInput, InputError } from '../errors.js';
import { type GlobalOptions, given, wholeNumber } from '../options.js';
import type { Terminal } from '../terminal.js';

interface InspectOptions extends GlobalOptions {
  readonly kind?: LayoutKind;
  readonly prompt: number;
  readonly think: number;
  readonly cot: number;
  readonly end: number;
  readonly answer: number;
  readonly rate: number;
  readonly mask?: MaskName;
  readonly svg?: string;
}

const MASKS: Readonly<Record<LayoutKind, MaskName>> = {
  encoder: 'ltim',
  decoder: 'ltsum',
  student: 'causal',
  chain: 'causal',
};

export function addInspect(program: Command, terminal: Terminal): void {
  program
    .command('inspect')
    .description('roles, positions, mask and labels of a sequence, from sizes alone')
    .addOption(
      new Option('--kind <name>', 'which sequence (required)').choices([
        'encoder',
        'decoder',
        'student',
        'chain',
      ]),
    )
    .option('--prompt <count>', 'question tokens', wholeNumber(0), 3)
    .option('--think <count>', 'tokens of the think marker', wholeNumber(0), 1)
    .option('--cot <count>', 'chain tokens', wholeNumber(0), 5)
    .option('--end <count>', 'tokens of the end marker', wholeNumber(0), 1)
    .option('--answer <count>', 'answer tokens', wholeNumber(0), 2)
    .option('--rate <count>', 'chain tokens a latent stands for', wholeNumber(1), 2)
    .addOption(
      new Option('--mask <name>', "another mask than the sequence's own").choices([
        'ltim',
        'ltsum',
        'causal',
      ]),
    )
    .option('--svg <file>', 'write a drawing')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<InspectOptions>();
      const kind = given(options.kind, '--kind <name>');
      const masks = await import('@latent-sft/masks');
      const layout = await layoutOf(kind, options);
      const mask = options.mask ?? MASKS[kind];
      const drawing = asInput(() => masks.drawText(layout, mask));
      if (options.svg !== undefined) writeDrawing(options.svg, masks.drawSvg(layout, mask));
      if (!options.json) return terminal.result(drawing.trimEnd());
      const dense = masks.denseMask(layout, mask);
      terminal.result(JSON.stringify(await inspection(layout, dense)));
    });
}

async function layoutOf(kind: LayoutKind, options: InspectOptions): Promise<Layout> {
  const { chainLayout, decoderLayout, encoderLayout, fixedRateSizes, studentLayout } = await import(
    '@latent-sft/segmentation'
  );
  const makers = {
    encoder: encoderLayout,
    decoder: decoderLayout,
    student: studentLayout,
    chain: chainLayout,
  };
  const { prompt, think, cot, end, answer, rate } = options;
  return asInput(() => {
    const sizes: LayoutSizes = { prompt, think, segments: fixedRateSizes(cot, rate), end, answer };
    return makers[kind](sizes);
  });
}

async function inspection(layout: Layout, dense: Uint8Array) {
  const { labels, positions, roles } = await import('@latent-sft/segmentation');
  const rows = layout.length;
  return {
    roles: roles(layout),
    positions: [...positions(layout)],
    mask: Array.from({ length: rows }, (_, row) => dense.subarray(row * rows, (row + 1) * rows).join('')),
    labels: [...labels(layout)],
  };
}

function writeDrawing(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (error) {
    throw new InputError(`expected a file that can be written at ${file}, got ${(error as Error).message}`);
  }
}
