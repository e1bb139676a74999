/** A mathematical answer as a tree. */
export type Expression =
  /** A literal without a sign: `12`, `0.5`; `repeating` are the digits under the bar of `0.1\overline{6}`. */
  | { readonly kind: 'number'; readonly digits: string; readonly repeating?: string }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  /** An operator or function by name: `add`, `multiply`, `power`, `sin`, `unit` (value, text), ... */
  | { readonly kind: 'apply'; readonly name: string; readonly operands: readonly Expression[] }
  /** What stands in brackets; a list without brackets has empty ones. */
  | {
      readonly kind: 'group';
      readonly open: string;
      readonly close: string;
      readonly items: readonly Expression[];
    }
  | {
      readonly kind: 'matrix';
      readonly environment: string;
      readonly rows: readonly (readonly Expression[])[];
    }
  | {
      readonly kind: 'relation';
      readonly operators: readonly string[];
      readonly operands: readonly Expression[];
    };

export function apply(name: string, ...operands: Expression[]): Expression {
  return { kind: 'apply', name, operands };
}

/** A list without brackets. */
export function list(items: readonly Expression[]): Expression {
  return { kind: 'group', open: '', close: '', items };
}

/** The same text for the same tree. */
export function structureOf(expression: Expression): string {
  return JSON.stringify(expression);
}

/** The operands of a union, of a union of unions too; any other expression alone. */
export function unionParts(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'apply' || expression.name !== 'cup') return [expression];
  return expression.operands.flatMap(unionParts);
}

/** Replaces every part of a tree that `replace` gives something for. */
export function rewrite(
  expression: Expression,
  replace: (part: Expression) => Expression | undefined,
): Expression {
  const replaced = replace(expression);
  if (replaced !== undefined) return replaced;
  const inside = (part: Expression) => rewrite(part, replace);
  switch (expression.kind) {
    case 'apply':
    case 'relation':
      return { ...expression, operands: expression.operands.map(inside) };
    case 'group':
      return { ...expression, items: expression.items.map(inside) };
    case 'matrix':
      return { ...expression, rows: expression.rows.map((row) => row.map(inside)) };
    default:
      return expression;
  }
}
