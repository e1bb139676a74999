import { plainCharacters } from '../plain-characters.js';
import { isMeasure } from './measures.js';

const UNICODE: Readonly<Record<string, string>> = {
  '×': '\\times ',
  '·': '\\cdot ',
  '⋅': '\\cdot ',
  '÷': '/',
  '√': '\\sqrt ',
  '∞': '\\infty ',
  '≤': '\\le ',
  '≥': '\\ge ',
  '≠': '\\ne ',
  '≈': '\\approx ',
  '±': '\\pm ',
  '∓': '\\mp ',
  '∪': '\\cup ',
  '∩': '\\cap ',
  '∈': '\\in ',
  '∅': '\\emptyset ',
  '°': '\\degree ',
  π: '\\pi ',
  θ: '\\theta ',
  α: '\\alpha ',
  β: '\\beta ',
  λ: '\\lambda ',
  '²': '^2 ',
  '³': '^3 ',
};

const SYNONYMS: Readonly<Record<string, string>> = {
  dfrac: 'frac',
  tfrac: 'frac',
  cfrac: 'frac',
  dbinom: 'binom',
  tbinom: 'binom',
  leq: 'le',
  leqslant: 'le',
  geq: 'ge',
  geqslant: 'ge',
  neq: 'ne',
  varnothing: 'emptyset',
  textrm: 'text',
  textbf: 'text',
  textit: 'text',
  textsf: 'text',
  textnormal: 'text',
  mbox: 'text',
  hbox: 'text',
  mathrm: 'text',
  mathsf: 'text',
  lbrace: '{',
  rbrace: '}',
  dots: 'ldots',
  cdots: 'ldots',
  ast: 'cdot',
  div: '/',
};

const REPLACED: Readonly<Record<string, string>> = {
  '\\lt': '<',
  '\\gt': '>',
  '\\vert': '|',
  '\\mid': '|',
  '\\lvert': '|',
  '\\rvert': '|',
  '\\lbrack': '[',
  '\\rbrack': ']',
  '\\/': '/',
};

/** Layout, fonts and sizes: they change how an answer looks, not what it is. */
const LAYOUT =
  /\\\\|\\(?:(?:left|right|middle|[bB]igg?)[lrm]?\.?|displaystyle|textstyle|limits|hline|mathbf|boldsymbol|mathit|mathcal|bm|vec|hat|quad|qquad|bf|rm|it)(?![a-zA-Z])|\\[,;:!]|\\ |~/g;

/** Rewrites the many ways of typing the same LaTeX as one; reads nothing yet. */
export function tidyLatex(latex: string): string {
  const bare = plainCharacters(latex)
    .replace(/[^\n -~]/g, (character) => UNICODE[character] ?? character)
    .trim()
    .replace(/\\\\\s?\[[\d.]{1,5} ?(?:pt|ex|em|mm)\]/g, '\\\\')
    .replace(/\\\\(?=[a-zA-Z])/g, latex.includes('\\begin') ? '\\\\ ' : '\\')
    .replace(/^\\\(([\s\S]*)\\\)$|^\\\[([\s\S]*)\\\]$/, (_, inline, display) => inline ?? display)
    .replace(/\\?[$£€]/g, '')
    .replace(/(?<=\d)(?:,\\!|\{,\}|\\[,;:! ]|~)\s*(?=\d{3}(?!\d))/g, '')
    .replace(/(\d*\.\d*)\\(?:overline|bar|dot)\s*(?:\{\s*(\d+)\s*\}|(\d))/g, '$1\u0305$2$3')
    .replace(/\\operatorname\*?\s*\{\s*([a-z]+)\s*\}/g, '\\$1 ')
    .replace(/\\begin\s*\{array\}\s*\{[lcr| ]*\}/g, '\\begin{array}');
  const plain = bare
    .replace(LAYOUT, (mark) => (mark === '\\\\' ? '\\\\ ' : ' '))
    .replace(/\\([a-zA-Z]+)(?![a-zA-Z])/g, (_, name) => `\\${SYNONYMS[name] ?? name}`)
    .replace(/\\(?:[a-zA-Z]+|\/)/g, (command) => REPLACED[command] ?? command)
    .replace(/\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degrees?(?![a-zA-Z])/g, '\\degree ')
    .replaceAll('\\%', '%')
    .replaceAll('<=', '\\le ')
    .replaceAll('>=', '\\ge ')
    .replaceAll('**', '^')
    .replace(/\\text\s*\{\s*,?\s*(?:or|and)\s*,?\s*\}/g, ',')
    .replace(/(?<![\\a-zA-Z])(?:or|and)(?![a-zA-Z])/g, ',')
    .replace(/\\text\s*\{\s*\(?([-\d.,]+)\)?\s*\}/g, '$1')
    .replace(/(?<![\\a-zA-Z])(sqrt|pi|theta|sin|cos|tan|log|ln|infty)(?![a-zA-Z])/g, '\\$1 ')
    .replace(/\\frac\s*(\d)\s*(?=\d|\{)/g, '\\frac{$1}')
    .replace(/(\\frac\s*\{[^{}]*\})\s*(\d)/g, '$1{$2}')
    .replace(/(?<![\d.])(\d+) +(\d+) ?\/ ?(\d+)(?![\d.])/g, '$1\\frac{$2}{$3}')
    .replace(/\s+/g, ' ')
    .replace(/[.,;\s]+$/, '')
    .trim();
  return wordsAsText(plain);
}

/** `5 cm` as `5 \text{cm}`, `Monday` as `\text{Monday}`; letters side by side stay a product. */
function wordsAsText(latex: string): string {
  if (/^[a-zA-Z][a-zA-Z '-]*$/.test(latex) && latex.split(' ').some(isWord)) return `\\text{${latex}}`;
  const unit = /(?<=[\d})\]] ?)([a-zA-Z]{2,}(?:[ .][a-zA-Z.]+)*)(?= ?(?:\^ ?\{? ?[23] ?\}?)?$)/.exec(latex);
  if (unit === null || !(isMeasure(unit[1]!) || isWord(unit[1]!.split(' ')[0]!))) return latex;
  return `${latex.slice(0, unit.index)}\\text{${unit[1]}}${latex.slice(unit.index + unit[1]!.length)}`;
}

function isWord(letters: string): boolean {
  return letters.length >= 4 && /[aeiouy]/i.test(letters) && /[^aeiou]/i.test(letters);
}
