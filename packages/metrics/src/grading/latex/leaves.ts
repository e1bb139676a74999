import type { Expression } from './expression.js';
import { Unreadable } from './token-cursor.js';

/** A literal; the digits behind the bar of the token repeat. */
export function numberOf(literal: string): Expression {
  const [digits, repeating] = literal.split('\u0305');
  return { kind: 'number', digits: digits!, ...(repeating !== undefined && { repeating }) };
}

/** `x_1` is a name, `1101_2` a numeral in base 2: the same only as the same digits in the same base. */
export function subscripted(base: Expression, subscript: Expression): Expression {
  const index =
    subscript.kind === 'number' ? subscript.digits : subscript.kind === 'symbol' ? subscript.name : undefined;
  if (base.kind === 'symbol' && index !== undefined) return { kind: 'symbol', name: `${base.name}_${index}` };
  if (base.kind === 'number' && index !== undefined)
    return { kind: 'symbol', name: `${base.digits}_${index}` };
  throw new Unreadable();
}
