/** Where `segmentText` cuts: at line ends, before steps, after equations, or after sentences. */
export type TextUnit = 'line' | 'step' | 'equation' | 'sentence';

/**
 * Segments of a written chain, trimmed and never empty; joined, they hold every non-space character of the text in order.
 *
 * - `line`: one a line.
 * - `step`: one a paragraph, a `Step n:`, or a line numbered `n.` or `n)`.
 * - `equation`: one a GSM8K-Aug equation `<<a*b=c>>`, kept whole, with the words that lead to it.
 * - `sentence`: one a sentence by Unicode's rules (UAX 29); a list number stays with the sentence it numbers.
 */
export function segmentText(text: string, by: TextUnit): string[] {
  const cuts = [...CUTS[by](text), text.length];
  return cuts.map((cut, i) => text.slice(cuts[i - 1] ?? 0, cut).trim()).filter((segment) => segment !== '');
}

const CUTS: Record<TextUnit, (text: string) => number[]> = {
  line: (text) => starts(text, /\n/g),
  step: (text) => starts(text, STEP_START),
  equation: equationEnds,
  sentence: sentenceStarts,
};

const STEP_START = anyOf(
  /\n[^\S\n]*\n/, // a blank line
  /(?<=\n)[^\S\n]*(?:[#*]+\s*)?step\s+\d+\b/, // a line "Step 2", plain, bold or a heading
  /(?<=\n)[^\S\n]*\d+[.)]\s/, // a line "2. " or "2) "
  /(?<=[.!?])\s+(?=step\s+\d+:)/, // "Step 2:" after a sentence
);

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map((pattern) => pattern.source).join('|'), 'gi');
}

function starts(text: string, pattern: RegExp): number[] {
  return Array.from(text.matchAll(pattern), (match) => match.index);
}

/** The last equation takes the rest of the text, so its end is no cut. */
function equationEnds(text: string): number[] {
  // GSM8K writes the result again right after the equation, `<<3*4=12>>12`: it stays.
  const equations = text.matchAll(/<<.*?>>(?:(?!<<)\S)*/gs);
  return Array.from(equations, (match) => match.index + match[0].length).slice(0, -1);
}

function sentenceStarts(text: string): number[] {
  const sentences = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)];
  return sentences
    .filter((_, i) => i > 0 && !/^\s*\d+[.)]\s*$/.test(sentences[i - 1]!.segment))
    .map((sentence) => sentence.index);
}
