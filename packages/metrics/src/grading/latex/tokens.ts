export interface Token {
  readonly kind: 'number' | 'letter' | 'command' | 'text' | 'mark' | 'end';
  /** A command without its backslash. */
  readonly value: string;
}

const TOKEN =
  /\s+|(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:\u0305\d+)?)|(?<letter>[a-zA-Z])|\\text\s*\{(?<text>[^{}]*)\}|\\(?<command>[a-zA-Z]+|[{}|])|(?<mark>\\\\|[-+*/^_=<>:!%,;|&'{}()[\]])/y;

const THOUSANDS = /(?<!\d,)[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?/y;

/**
 * Cuts tidy LaTeX into tokens; `undefined` where a character has no meaning in mathematics.
 *
 * Outside brackets `1,234` is one number, inside them two.
 */
export function tokensOf(latex: string): Token[] | undefined {
  const tokens: Token[] = [];
  let depth = 0;
  for (let at = 0; at < latex.length; ) {
    THOUSANDS.lastIndex = at;
    const thousands = depth === 0 ? THOUSANDS.exec(latex)?.[0] : undefined;
    if (thousands !== undefined) {
      tokens.push({ kind: 'number', value: thousands.replaceAll(',', '') });
      at += thousands.length;
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(latex);
    if (match === null) return undefined;
    at = TOKEN.lastIndex;
    for (const kind of ['number', 'letter', 'command', 'text', 'mark'] as const) {
      const value = match.groups?.[kind];
      if (value !== undefined) tokens.push({ kind, value });
    }
    if (/^(?:[([]|\\\{)$/.test(match[0])) depth++;
    if (/^(?:[)\]]|\\\})$/.test(match[0])) depth--;
  }
  return tokens;
}
