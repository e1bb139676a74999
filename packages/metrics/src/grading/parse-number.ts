/**
 * Reads an answer as a number: `1,234.5`, `-3/4`, `\frac{3}{4}`, `1 1/2`, `1e-3`, `$18`, `25%` (0.25).
 *
 * Dollar signs, LaTeX spacing and a final full stop are dropped; a word or a unit makes it no number.
 *
 * @returns `undefined` if the text is no finite number.
 */
export function parseNumber(text: string): number | undefined {
  const bare = text
    .replace(/\\[,;!:]|\\?\$/g, '')
    .replaceAll('\u2212', '-')
    .replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, ' $1/$2')
    .replace(/\s*\/\s*/g, '/')
    .replace(/\s*\\?%/, '%')
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/(?<=\d)\.$/, '');
  const match = /^([+-]?) ?(?:(\d+) (?=\S+\/))?([\d.,]+(?:e[+-]?\d+)?)(?:\/([\d.,]+))?(%?)$/i.exec(bare);
  if (match === null) return undefined;
  const [, sign, whole = '0', numerator, denominator = '1', percent] = match;
  const size = Number(whole) + decimal(numerator!) / decimal(denominator);
  if (!Number.isFinite(size)) return undefined;
  return (sign === '-' ? -size : size) / (percent === '%' ? 100 : 1);
}

/** NaN unless the commas stand at the thousands. */
function decimal(text: string): number {
  const wellFormed = /^(?:\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(text);
  return wellFormed ? Number(text.replaceAll(',', '')) : Number.NaN;
}
