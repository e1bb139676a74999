import { apply, type Expression, list } from './expression.js';
import { numberOf, subscripted } from './leaves.js';
import { TokenCursor, Unreadable } from './token-cursor.js';
import { type Token, tokensOf } from './tokens.js';
import { CLOSERS, FUNCTIONS, RELATIONS, SET_OPERATORS, SYMBOLS } from './vocabulary.js';

const DEEPEST_NESTING = 40;

/**
 * Reads tidy LaTeX as a tree, by recursive descent: time linear in its length, nesting up to 40.
 *
 * Products may be implicit; a number before a fraction of two numbers is a mixed number; `\sin 2x` is sin(2x); text behind
 * a value is its unit. A parser of our own, as that of `@cortex-js/compute-engine` 0.27 (later ones need Node 21) takes
 * time exponential in unclosed brackets: 10 s for `(|x[` fourteen times.
 *
 * @returns `undefined` if the text is nothing that the grammar knows.
 */
export function parseLatex(latex: string): Expression | undefined {
  const tokens = tokensOf(latex);
  if (tokens === undefined || tokens.length === 0) return undefined;
  try {
    return new Parser(tokens).parse();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Parser {
  private depth = 0;
  private openBars = 0;

  private readonly cursor: TokenCursor;

  constructor(tokens: readonly Token[]) {
    this.cursor = new TokenCursor(tokens);
  }

  parse(): Expression {
    const items = this.items();
    if (!this.cursor.isAtEnd) throw new Unreadable();
    return items.length === 1 ? items[0]! : list(items);
  }

  private items(): Expression[] {
    const items = [this.relation()];
    while (this.cursor.name === ',' || this.cursor.name === ';') {
      this.cursor.advance();
      if (this.cursor.name !== ',') items.push(this.relation());
    }
    return items;
  }

  private relation(): Expression {
    const operands = [this.union()];
    const operators: string[] = [];
    while (RELATIONS.has(this.cursor.name)) {
      operators.push(this.cursor.name);
      this.cursor.advance();
      operands.push(this.union());
    }
    return operators.length === 0 ? operands[0]! : { kind: 'relation', operators, operands };
  }

  private union(): Expression {
    let left = this.sum();
    while (this.cursor.token.kind === 'command' && SET_OPERATORS.has(this.cursor.token.value)) {
      const operator = this.cursor.token.value;
      this.cursor.advance();
      left = apply(operator, left, this.sum());
    }
    return left;
  }

  private sum(): Expression {
    let left = this.signed();
    for (;;) {
      if (this.cursor.take('+')) left = apply('add', left, this.product());
      else if (this.cursor.take('-')) left = apply('add', left, apply('negate', this.product()));
      else if (this.cursor.take('\\pm')) left = apply('add', left, apply('plusMinus', this.product()));
      else if (this.cursor.take('\\mp'))
        left = apply('add', left, apply('negate', apply('plusMinus', this.product())));
      else break;
    }
    if (this.cursor.take('%')) return apply('unit', left, { kind: 'text', text: '%' });
    if (this.cursor.token.kind !== 'text') return left;
    return apply('unit', left, this.unit());
  }

  private signed(): Expression {
    let negative = false;
    while (this.cursor.name === '-' || this.cursor.name === '+') {
      if (this.cursor.name === '-') negative = !negative;
      this.cursor.advance();
    }
    if (this.cursor.take('\\pm') || this.cursor.take('\\mp')) return apply('plusMinus', this.product());
    const product = this.product();
    return negative ? apply('negate', product) : product;
  }

  private unit(): Expression {
    let text = '';
    while (this.cursor.token.kind === 'text') {
      text += this.cursor.token.value;
      this.cursor.advance();
    }
    if (this.cursor.take('^')) {
      const power = this.argument();
      if (power.kind !== 'number') throw new Unreadable();
      text += `^${power.digits}`;
    }
    return { kind: 'text', text: text.trim() };
  }

  private product(): Expression {
    let left = this.power();
    for (;;) {
      if (this.cursor.take('\\times') || this.cursor.take('\\cdot') || this.cursor.take('*'))
        left = apply('multiply', left, this.signedPower());
      else if (this.cursor.take('/')) left = apply('divide', left, this.signedPower());
      else if (this.startsFactor()) left = this.juxtaposed(left);
      else return left;
    }
  }

  private signedPower(): Expression {
    return this.cursor.take('-') ? apply('negate', this.power()) : this.power();
  }

  private juxtaposed(left: Expression): Expression {
    const previous = this.cursor.previous;
    const isFraction = this.cursor.name === '\\frac';
    const right = this.power();
    const numbers = right.kind === 'apply' && right.operands.every((operand) => operand.kind === 'number');
    const mixed = isFraction && previous?.kind === 'number' && left.kind === 'number' && numbers;
    return apply(mixed ? 'add' : 'multiply', left, right);
  }

  private startsFactor(): boolean {
    const { kind, value } = this.cursor.token;
    if (kind === 'number') return this.cursor.previous?.kind !== 'number';
    if (kind === 'letter') return true;
    if (this.cursor.name === '|') return this.openBars === 0;
    if (this.cursor.name in CLOSERS || this.cursor.name === '{') return true;
    const commands = ['frac', 'sqrt', 'binom', 'overline'];
    return kind === 'command' && (commands.includes(value) || FUNCTIONS.has(value) || SYMBOLS.has(value));
  }

  /** A factor with its postfix marks: `x_1^2`, `5!`, `30^\circ`. */
  private power(): Expression {
    this.depth++;
    if (this.depth > DEEPEST_NESTING) throw new Unreadable();
    let base = this.primary();
    for (;;) {
      if (this.cursor.take('^')) base = apply('power', base, this.argument());
      else if (this.cursor.take('_')) base = subscripted(base, this.argument());
      else if (this.cursor.take('!')) base = apply('factorial', base);
      else if (this.cursor.take('\\degree')) base = apply('degrees', base);
      else if (base.kind === 'symbol' && this.cursor.take("'"))
        base = { kind: 'symbol', name: `${base.name}'` };
      else break;
    }
    this.depth--;
    return base;
  }

  private primary(): Expression {
    const { kind, value } = this.cursor.token;
    const { name } = this.cursor;
    this.cursor.advance();
    if (kind === 'number') return numberOf(value);
    if (kind === 'letter') return { kind: 'symbol', name: value };
    if (kind === 'text') return { kind: 'text', text: value.trim() };
    if (name in CLOSERS) return this.group(name);
    if (name === '{') return this.braced();
    if (name === '|') return this.absolute();
    if (name === '\\frac' || name === '\\binom')
      return apply(value === 'frac' ? 'divide' : value, this.argument(), this.argument());
    if (name === '\\sqrt') return this.root();
    if (name === '\\overline') return apply('overline', this.argument());
    if (name === '\\begin') return this.matrix();
    if (name === '\\mathbb') return { kind: 'symbol', name: `set ${this.cursor.letters()}` };
    if (kind === 'command' && FUNCTIONS.has(value)) return this.call(value);
    if (kind === 'command' && SYMBOLS.has(value)) return { kind: 'symbol', name: `\\${value}` };
    throw new Unreadable();
  }

  /** What a command or a mark applies to: `{...}`, or one factor without a postfix (`2^10` is 1024). */
  private argument(): Expression {
    this.depth++;
    if (this.depth > DEEPEST_NESTING) throw new Unreadable();
    const negative = this.cursor.take('-');
    let argument = this.primary();
    if (negative || this.cursor.name === '^') {
      if (this.cursor.take('^')) argument = apply('power', argument, this.argument());
      if (negative) argument = apply('negate', argument);
    }
    this.depth--;
    return argument;
  }

  private braced(): Expression {
    const inner = this.relation();
    this.cursor.expect('}');
    return inner;
  }

  private group(open: string): Expression {
    const bars = this.openBars;
    this.openBars = 0;
    const isEmpty = this.cursor.name === CLOSERS[open];
    const items = isEmpty ? [] : this.items();
    const close = this.cursor.name;
    if (open === '(' || open === '[' ? close !== ')' && close !== ']' : close !== CLOSERS[open])
      throw new Unreadable();
    this.cursor.advance();
    this.openBars = bars;
    if (open.startsWith('\\l') && items.length === 1) return apply(open.slice(2), items[0]!);
    if (open === '(' && close === ')' && items.length === 1) return items[0]!;
    if (open === '\\{' && items.length === 0) return { kind: 'symbol', name: '\\emptyset' };
    return { kind: 'group', open: open.replace('\\', ''), close: close.replace('\\', ''), items };
  }

  private absolute(): Expression {
    this.openBars++;
    const inner = this.sum();
    this.cursor.expect('|');
    this.openBars--;
    return apply('absolute', inner);
  }

  private root(): Expression {
    if (!this.cursor.take('['))
      return apply('power', this.argument(), apply('divide', numberOf('1'), numberOf('2')));
    const index = this.sum();
    this.cursor.expect(']');
    return apply('root', this.argument(), index);
  }

  /** `\sin^2 x`, `\sin^{-1} x`, `\log_2 8`, `\sin 2\theta`. */
  private call(name: string): Expression {
    let power: Expression | undefined;
    let base: Expression | undefined;
    for (;;) {
      if (this.cursor.take('^')) power = this.argument();
      else if (this.cursor.take('_')) base = this.argument();
      else break;
    }
    let operand: Expression;
    if (this.cursor.name === '(') operand = this.primary();
    else {
      operand = this.cursor.take('-') ? apply('negate', this.power()) : this.power();
      while (this.startsFactor() && !FUNCTIONS.has(this.cursor.token.value))
        operand = apply('multiply', operand, this.power());
    }
    const isInverse = power !== undefined && power.kind === 'apply' && power.name === 'negate';
    const called = apply(isInverse ? `arc${name}` : name, operand, ...(base === undefined ? [] : [base]));
    return power === undefined || isInverse ? called : apply('power', called, power);
  }

  private matrix(): Expression {
    const environment = this.cursor.letters();
    if (!/^(?:[pbvBV]?matrix|array)$/.test(environment)) throw new Unreadable();
    const rows: Expression[][] = [[]];
    while (this.cursor.name !== '\\end') {
      if (this.cursor.take('\\\\')) rows.push([]);
      else if (!this.cursor.take('&')) rows.at(-1)!.push(this.sum());
    }
    this.cursor.advance();
    if (this.cursor.letters() !== environment) throw new Unreadable();
    return { kind: 'matrix', environment, rows: rows.filter((row) => row.length > 0) };
  }
}
