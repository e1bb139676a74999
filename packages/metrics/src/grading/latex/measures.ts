const NAMES: readonly (readonly string[])[] = [
  ['millimeter', 'mm'],
  ['centimeter', 'cm'],
  ['meter', 'm'],
  ['kilometer', 'km'],
  ['inch', 'inches', 'in'],
  ['foot', 'feet', 'ft'],
  ['yard', 'yd'],
  ['mile', 'mi'],
  ['second', 'sec', 's'],
  ['minute', 'min'],
  ['hour', 'hr', 'h'],
  ['day'],
  ['week'],
  ['month'],
  ['year', 'yr'],
  ['gram', 'gm', 'g'],
  ['kilogram', 'kg'],
  ['pound', 'lb'],
  ['ounce', 'oz'],
  ['liter', 'l'],
  ['gallon', 'gal'],
  ['dollar', 'usd'],
  ['cent'],
  ['mph', 'miles per hour'],
  ['kph', 'km/h', 'kilometers per hour'],
  ['am'],
  ['pm'],
  ['percent', '%'],
  ['degree'],
  ['radian', 'rad'],
];

const MEASURES = new Map(NAMES.flatMap((names) => names.map((name) => [name, names[0]!] as const)));

/** Tells whether a word is a unit of measure that is known by name. */
export function isMeasure(word: string): boolean {
  return measureOf(word).name !== undefined;
}

/** Tells whether two units can be of one answer: unless both are known and differ, they can (`dollars`, `apples`). */
export function unitsAgree(left: string, right: string): boolean {
  const [one, other] = [measureOf(left), measureOf(right)];
  if (one.name === undefined || other.name === undefined) return true;
  return one.name === other.name && one.power === other.power;
}

function measureOf(unit: string): { readonly name: string | undefined; readonly power: number } {
  const words = unit
    .toLowerCase()
    .replaceAll('.', '')
    .replace(/\s+/g, ' ')
    .replaceAll('metre', 'meter')
    .trim();
  const [, prefix, base, exponent] = /^(?:(square|sq|cubic|cu) )?(.*?)(?:\^?([23]))?$/.exec(words)!;
  const name = MEASURES.get(base!) ?? MEASURES.get(base!.replace(/s$/, ''));
  const prefixPower = prefix === undefined ? 1 : prefix.startsWith('s') ? 2 : 3;
  return { name, power: exponent === undefined ? prefixPower : Number(exponent) };
}
