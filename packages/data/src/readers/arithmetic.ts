const TOKEN = /\s*(?:(\d[\d,]*(?:\.\d*)?|\.\d+)|(\*\*|\/\/|[-+*/()%×÷]))/y;

/** Left binding strength of what stands between two operands. */
const STRENGTH: Readonly<Record<string, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '×': 2,
  '/': 2,
  '÷': 2,
  '//': 2,
  '**': 4,
};

const SIGN_STRENGTH = 3;
const MAX_DEPTH = 100;

/**
 * The value of an expression of numbers, `+ - * / // **`, brackets, signs and percentages, as GSM8K's calculator
 * annotations write them; thousands separators and `$` are passed over. Null if it is no such expression.
 */
export function evaluateArithmetic(text: string): number | null {
  const tokens = tokenize(text.replaceAll('$', ''));
  if (tokens === null) return null;
  let next = 0;
  let depth = 0;

  const operand = (): number => {
    const token = tokens[next++];
    if (typeof token === 'number') return token;
    if (token === '-') return -expression(SIGN_STRENGTH);
    if (token === '+') return expression(SIGN_STRENGTH);
    if (token !== '(') return Number.NaN;
    const inner = expression(0);
    return tokens[next++] === ')' ? inner : Number.NaN;
  };

  const expression = (weakest: number): number => {
    depth += 1;
    if (depth > MAX_DEPTH) return Number.NaN;
    let value = operand();
    for (;;) {
      const operator = tokens[next];
      if (operator === '%') {
        next += 1;
        value /= 100;
        continue;
      }
      const strength = STRENGTH[operator as string];
      if (strength === undefined || strength <= weakest) break;
      next += 1;
      value = combine(
        operator as string,
        value,
        expression(operator === '**' ? SIGN_STRENGTH - 1 : strength),
      );
    }
    depth -= 1;
    return value;
  };

  const value = expression(0);
  return next === tokens.length && Number.isFinite(value) ? value : null;
}

function tokenize(text: string): (number | string)[] | null {
  const tokens: (number | string)[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) return null;
    tokens.push(match[1] === undefined ? match[2]! : Number(match[1].replaceAll(',', '')));
  }
  return tokens;
}

function combine(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '/':
    case '÷':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '**':
      return left ** right;
    default:
      return left * right;
  }
}
