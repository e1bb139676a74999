import type { Layout } from '@latent-sft/segmentation';
import type { MaskName, MaskOptions } from './mask.js';
import { rowNames } from './row-names.js';
import { maskRule } from './rule.js';

/**
 * The mask as a grid of text, a line a row (query) and a column a key: `■` where the row reads the key, else `·`.
 *
 * @throws if `ltim` is asked of a layout that is not an encoder's, or `ltsum` of one that is not a decoder's.
 */
export function drawText(layout: Layout, name: MaskName, options: MaskOptions = {}): string {
  const allows = maskRule(layout, name, options);
  const names = rowNames(layout);
  const margin = Math.max(...names.map((row) => row.length));
  const line = (head: string, cells: readonly string[]): string =>
    [head.padEnd(margin), ...cells.map((cell, key) => cell.padEnd(names[key]!.length))].join(' ').trimEnd();
  const rows = names.map((row, query) =>
    line(
      row,
      names.map((_, key) => (allows(query, key) ? '■' : '·')),
    ),
  );
  return `${[line('', names), ...rows].join('\n')}\n`;
}
