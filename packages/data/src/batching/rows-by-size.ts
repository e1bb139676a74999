import {
  type ExampleTokens,
  type Layout,
  type LayoutSizes,
  sizesOf,
  tokenIds,
} from '@latent-sft/segmentation';
import { type ExampleRows, type RowSettings, rowsOfIds } from './example-rows.js';
import { neededRows } from './needed-rows.js';

/** Arrangements that are kept; examples of more sizes than these are rare in one set. */
const KEPT = 2048;

/** How the rows of all examples of some sizes stand: where rows hold ids, the place of the id in sequence order. */
interface Arrangement {
  readonly layout: Layout;
  readonly rows: ExampleRows;
}

/**
 * Lays examples out without the rows that nobody reads, as {@link exampleRows} and {@link neededRows} do. Where rows
 * stand and what they see depends on the sizes of an example alone, and is found once for all that share them.
 *
 * @param layoutOf the sequence of an example of some sizes
 */
export function rowsBySize(
  layoutOf: (sizes: LayoutSizes) => Layout,
  settings: RowSettings,
): (example: ExampleTokens) => ExampleRows {
  const known = new Map<string, Arrangement>();
  return (example) => {
    const sizes = sizesOf(example);
    const key = keyOf(sizes);
    let arrangement = known.get(key);
    if (!arrangement) {
      const layout = layoutOf(sizes);
      const places = Int32Array.from({ length: layout.length }, (_, row) => row);
      arrangement = { layout, rows: neededRows(rowsOfIds(layout, places, settings)) };
      if (known.size === KEPT) known.clear();
      known.set(key, arrangement);
    }
    const { layout, rows } = arrangement;
    const ids = tokenIds(layout, example, settings.latentId);
    const placed = new Int32Array(rows.length);
    for (let row = 0; row < rows.length; row++) placed[row] = ids[rows.ids[row]!]!;
    return {
      ...rows,
      ids: placed,
      targets: rows.targets.map(({ row, id, weight }) => ({ row, id: ids[id]!, weight })),
    };
  };
}

function keyOf({ prompt, think, segments, end, answer }: LayoutSizes): string {
  return `${prompt} ${think} ${end} ${answer} ${segments.join(' ')}`;
}
