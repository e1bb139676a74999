import { plainCharacters } from './plain-characters.js';

const LONGEST_NUMBER = 400;

/**
 * Reads an answer as a number: `1,234.5`, `10 000`, `-3/4`, `\frac{3}{4}`, `1 1/2`, `1e-3`, `1.2 \times 10^{3}`, `$18`,
 * `25%` (0.25).
 *
 * Currency signs, LaTeX spacing and a final full stop are dropped; a word or a unit makes it no number, and so does a
 * length over 400 characters.
 *
 * @returns `undefined` if the text is no finite number.
 */
export function parseNumber(text: string): number | undefined {
  if (text.length > LONGEST_NUMBER) return undefined;
  const bare = plainNumberText(text)
    .replace(/\s*\/\s*/g, '/')
    .replace(/\s*%/, '%')
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/(?<=\d)\.$/, '')
    .replace(/(?<=^[+-]?\d{1,3}(?: \d{3})*) (?=\d{3}(?: \d{3})*(?:\.\d+)?$)/g, '');
  const match = /^([+-]?) ?(?:(\d+) (?=\S+\/))?([\d.,]+(?:e[+-]?\d+)?)(?:\/([\d.,]+))?(%?)$/i.exec(bare);
  if (match === null) return undefined;
  const [, sign, whole = '0', numerator, denominator = '1', percent] = match;
  const size = Number(whole) + decimal(numerator!) / decimal(denominator);
  if (!Number.isFinite(size)) return undefined;
  return (sign === '-' ? -size : size) / (percent === '%' ? 100 : 1);
}

/** Rewrites the LaTeX and the typography of numbers (`\$1{,}200`, `\dfrac{1}{2}`, `3\cdot 10^8`, `−5`) as plain text. */
export function plainNumberText(text: string): string {
  return plainCharacters(text.replace(/(?<=\d)(?:\\[,;: ]|~|[\xa0\u2009\u202f])(?=\d{3}(?!\d))/g, ','))
    .replace(/\\[,;:]|\\ |~/g, ' ')
    .replace(/\\!|\{,\}(?=\d)/g, (mark) => (mark === '{,}' ? ',' : ''))
    .replace(/([+-]) ?\\?[$£€](?=[\d.])/g, '$1')
    .replace(/\\?[$£€]/g, ' ')
    .replaceAll('\\%', '%')
    .replace(/\\[dtc]?frac\s*\{([^{}]{1,50})\}\s*\{([^{}]{1,50})\}/g, ' $1/$2')
    .replace(/\\[dtc]?frac\s?(\d)\s?(\d)/g, ' $1/$2')
    .replace(/(?<=\d) ?(?:\\times|\\cdot|[×*]) ?10 ?\^ ?\{? ?([+-]?\d{1,3}) ?\}?/g, 'e$1');
}

/** NaN unless the commas stand at the thousands. */
function decimal(text: string): number {
  const wellFormed = /^(?:\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(text);
  return wellFormed ? Number(text.replaceAll(',', '')) : Number.NaN;
}
