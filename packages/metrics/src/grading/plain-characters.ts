const DIGIT_ZEROS = ['\uff10', '\u0660', '\u06f0', '\u0966'].map((zero) => zero.charCodeAt(0));

/**
 * Writes digits, minus signs, spaces and vulgar fractions of other scripts and styles in ASCII (`－３½` is `-3 1/2`).
 *
 * Superscripts stay: `5²` is no 52.
 */
export function plainCharacters(text: string): string {
  if (!/[^\n -~]/.test(text)) return text;
  return text
    .replace(/[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, asciiDigit)
    .replace(/[\u2010-\u2013\u2212\ufe63\uff0d]/g, '-')
    .replace(
      /[\xbc-\xbe\u2150-\u215e]/g,
      (fraction) => ` ${fraction.normalize('NFKC').replace('\u2044', '/')}`,
    )
    .replace(/[\u2044\uff0f]/g, '/')
    .replaceAll('\uff0c', ',')
    .replaceAll('\uff0e', '.')
    .replaceAll('\uff05', '%')
    .replace(/[\t\r\xa0\u2002-\u200a\u202f\u3000]/g, ' ')
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, '');
}

function asciiDigit(digit: string): string {
  const code = digit.charCodeAt(0);
  const zero = DIGIT_ZEROS.find((start) => code >= start && code < start + 10)!;
  return String(code - zero);
}
