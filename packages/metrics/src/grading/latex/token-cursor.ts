import type { Token } from './tokens.js';

/** Says that the text is no mathematics of the grammar; caught in `parseLatex`. */
export class Unreadable extends Error {}

/** Tokens with a place in them. */
export class TokenCursor {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get previous(): Token | undefined {
    return this.tokens[this.at - 1];
  }

  get isAtEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  advance(): void {
    this.at++;
  }

  get token(): Token {
    return this.tokens[this.at] ?? { kind: 'end', value: '' };
  }

  /** The token as it is written, for marks and commands; numbers, letters and texts have no name. */
  get name(): string {
    const { kind, value } = this.token;
    return kind === 'command' ? `\\${value}` : kind === 'mark' ? value : '';
  }

  take(name: string): boolean {
    if (this.name !== name) return false;
    this.at++;
    return true;
  }

  expect(name: string): void {
    if (!this.take(name)) throw new Unreadable();
  }

  /** Letters in braces, as one word: the name of an environment. */
  letters(): string {
    this.expect('{');
    let letters = '';
    while (this.token.kind === 'letter') {
      letters += this.token.value;
      this.at++;
    }
    this.expect('}');
    return letters;
  }
}
