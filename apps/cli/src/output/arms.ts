import type { ArmReport } from '@latent-sft/training';
import { intervalInWords } from './accuracy.js';
import { percentage } from './progress.js';
import { drawTable } from './table.js';

/** What happens to the answers when the latents are replaced, for people. */
export function drawArms(arms: readonly ArmReport[]): string {
  const table = drawTable(
    ['latents', 'right', '95 % interval', 'the question it answers'],
    arms.map((arm) => [arm.arm, percentage(arm.passAt1), intervalInWords(arm), arm.asks]),
  );
  return [
    `Do the latents do the work? The same model, made to answer the same ${arms[0]!.items} questions from latents that`,
    'were replaced:',
    '',
    table,
  ].join('\n');
}
