import { type Layout, type Role, roles } from '@latent-sft/segmentation';
import type { MaskName, MaskOptions } from './mask.js';
import { rowNames } from './row-names.js';
import { maskRule } from './rule.js';

/** Okabe and Ito's palette, told apart by colour-blind readers too. */
const COLOUR: Record<Role, string> = {
  prompt: '#0072b2',
  think: '#56b4e9',
  segment: '#e69f00',
  latent: '#cc79a7',
  end: '#777777',
  answer: '#009e73',
};

const TITLE: Record<MaskName, string> = { ltim: 'LTIM', ltsum: 'LTSuM', causal: 'Causal mask' };

const BLANK = '#f1f1f1';
const INK = '#222222';

// Lengths in user units, pixels at scale 1.
const CELL = 22;
const LETTER = 8.5;
const LEGEND_STEP = 84;

/**
 * The mask as a self-contained SVG: a line a row (query), a column a key, and a filled square where the row reads the
 * key, in the colour of the key's role.
 *
 * @throws if `ltim` is asked of a layout that is not an encoder's, or `ltsum` of one that is not a decoder's.
 */
export function drawSvg(layout: Layout, name: MaskName, options: MaskOptions = {}): string {
  const allows = maskRule(layout, name, options);
  const names = rowNames(layout);
  const roleAt = roles(layout);
  const present = (Object.keys(COLOUR) as Role[]).filter((role) => roleAt.includes(role));
  const cells = roleAt.flatMap((_, query) =>
    roleAt.map((role, key) => ({ query, key, colour: allows(query, key) ? COLOUR[role] : BLANK })),
  );
  const pairs = cells.filter(({ colour }) => colour !== BLANK).length;
  const title = `${TITLE[name]}, ${layout.kind}: ${pairs} of ${cells.length} pairs`;

  const margin = 20 + LETTER * Math.max(...names.map((row) => row.length));
  const top = margin + 30;
  const grid = layout.length * CELL;
  const width = margin + Math.max(grid, present.length * LEGEND_STEP, title.length * LETTER) + 16;
  const height = top + grid + 48;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<g transform="translate(${margin} ${top})">`,
    text(0, 30 - top, title, INK, 'font-size="15" font-weight="600"'),
    ...names.flatMap((row, i) => rowAndColumnName(row, i, COLOUR[roleAt[i]!])),
    ...cells.map(({ query, key, colour }) => square(key * CELL + 1, query * CELL + 1, CELL - 2, colour)),
    ...present.flatMap((role, i) => [
      square(i * LEGEND_STEP, grid + 16, 12, COLOUR[role]),
      text(i * LEGEND_STEP + 17, grid + 26, role, INK),
    ]),
    '</g>',
    '</svg>\n',
  ].join('\n');
}

function rowAndColumnName(name: string, i: number, colour: string): string[] {
  const baseline = i * CELL + CELL / 2 + 4;
  return [
    text(-8, baseline, name, colour, 'text-anchor="end" font-weight="600"'),
    text(baseline, -8, name, colour, `font-weight="600" transform="rotate(-90 ${baseline} -8)"`),
  ];
}

function square(x: number, y: number, side: number, colour: string): string {
  return `<rect x="${x}" y="${y}" width="${side}" height="${side}" rx="3" fill="${colour}"/>`;
}

function text(x: number, y: number, content: string, colour: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" fill="${colour}" ${attributes}>${content}</text>`;
}
