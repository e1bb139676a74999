import { apply, type Expression, list, rewrite, structureOf, unionParts } from './expression.js';
import { unitsAgree } from './measures.js';
import { isVariable } from './numeric-value.js';
import { sameValue, sameZeros } from './same-value.js';

const MOST_ITEMS = 50;

type Group = Expression & { readonly kind: 'group' };
type Relation = Expression & { readonly kind: 'relation' };

/** Tells whether two trees are the same answer. */
export function sameAnswer(answer: Expression, reference: Expression): boolean {
  const [left, right] = [plain(answer), plain(reference)];
  if (left.kind === 'relation' || right.kind === 'relation') return sameRelation(left, right);
  if (isUnit(left) || isUnit(right)) return sameMeasured(left, right);
  if (left.kind === 'text' || right.kind === 'text') return sameText(left, right);
  if (isUnordered(left) || isUnordered(right)) return sameItems(itemsOf(left), itemsOf(right));
  if (left.kind === 'group' || right.kind === 'group') return sameBrackets(left, right);
  if (left.kind === 'matrix' || right.kind === 'matrix') return sameMatrix(left, right);
  const [one, other] = [unionParts(left), unionParts(right)];
  if (one.length > 1 || other.length > 1) return sameItems(one, other);
  return sameValue(withoutDegrees(left), withoutDegrees(right));
}

/** Writes plus-minus as a list of two, inequalities of one variable as intervals, `x = 1, x = 2` as `1, 2`. */
function plain(expression: Expression): Expression {
  if (expression.kind !== 'group' || expression.open !== '') {
    const signed = bothSigns(expression);
    return signed === expression ? expression : plain(signed);
  }
  const items = expression.items.slice(0, MOST_ITEMS + 1).flatMap((item) => itemsOf(bothSigns(item)));
  const group: Group = { ...expression, items };
  return solutions(group) ?? intervalUnion(group) ?? group;
}

function bothSigns(expression: Expression): Expression {
  let found = false;
  const withSign = (sign: 'plus' | 'minus') =>
    rewrite(expression, (part) => {
      if (part.kind !== 'apply' || part.name !== 'plusMinus') return undefined;
      found = true;
      return sign === 'plus' ? part.operands[0]! : apply('negate', part.operands[0]!);
    });
  const plus = withSign('plus');
  return found ? list([plus, withSign('minus')]) : expression;
}

function solutions({ items }: Group): Expression | undefined {
  const sides = items.map(assigned);
  const first = sides[0];
  if (first === undefined || sides.some((side) => side?.name !== first.name)) return undefined;
  return list(sides.map((side) => side!.value));
}

/** The name and the value of `x = 5`, `f(x) = 2x` or `x \in [0, 1]`. */
function assigned(expression: Expression): { readonly name: string; readonly value: Expression } | undefined {
  if (expression.kind !== 'relation') return undefined;
  if (expression.operators.some((operator) => !['=', '\\approx', '\\in'].includes(operator)))
    return undefined;
  const [target] = expression.operands as [Expression];
  const isCall = target.kind === 'apply' && target.operands.length === 2 && target.operands.every(isName);
  if (!isName(target) && !(isCall && target.name === 'multiply')) return undefined;
  return { name: structureOf(target), value: expression.operands.at(-1)! };
}

function isName(expression: Expression): boolean {
  return expression.kind === 'text' || (expression.kind === 'symbol' && isVariable(expression.name));
}

function sameRelation(left: Expression, right: Expression): boolean {
  if (left.kind === 'relation' && right.kind === 'relation') {
    const isEquation = [left, right].every(({ operators }) =>
      operators.every((operator) => operator === '='),
    );
    return isEquation ? sameEquation(left, right) : sameChain(left, right);
  }
  const [relation, other] = left.kind === 'relation' ? [left, right] : [right as Relation, left];
  const value = assigned(relation)?.value ?? interval(relation) ?? equalSides(relation);
  return value !== undefined && sameAnswer(value, other);
}

/** Of `2 + 3 = 5` the value, if it is true. */
function equalSides({ operators, operands }: Relation): Expression | undefined {
  const last = operands.at(-1)!;
  const isEquation = operators.every((operator) => operator === '=');
  return isEquation && sameAnswer(operands[0]!, last) ? last : undefined;
}

function sameEquation(left: Relation, right: Relation): boolean {
  const sides = [left, right].map(({ operands }) => [operands[0]!, operands.at(-1)!] as const);
  const [one, other] = sides as [(typeof sides)[number], (typeof sides)[number]];
  if (sameAnswer(one[0], other[0]) && sameAnswer(one[1], other[1])) return true;
  if (sameAnswer(one[0], other[1]) && sameAnswer(one[1], other[0])) return true;
  return sameZeros(difference(...one), difference(...other));
}

function difference(left: Expression, right: Expression): Expression {
  return apply('add', left, apply('negate', right));
}

const REVERSED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '\\le': '\\ge', '\\ge': '\\le' };

function sameChain(left: Relation, right: Relation): boolean {
  const [one, other] = [ascending(left), ascending(right)];
  if (one.operators.join() !== other.operators.join()) return false;
  return one.operands.every((operand, i) => sameAnswer(operand, other.operands[i]!));
}

function ascending(relation: Relation): Relation {
  const isDescending = relation.operators.every((operator) => operator === '>' || operator === '\\ge');
  if (!isDescending) return relation;
  const operators = relation.operators.map((operator) => REVERSED[operator]!).reverse();
  return { kind: 'relation', operators, operands: relation.operands.toReversed() };
}

const INFINITY: Expression = { kind: 'symbol', name: '\\infty' };

/** `1 < x \le 3` as `(1, 3]`, `x > 3` as `(3, \infty)`. */
function interval(relation: Relation): Expression | undefined {
  const { operators, operands } = ascending(relation);
  if (operators.some((operator) => operator !== '<' && operator !== '\\le')) return undefined;
  const variable = operands.findIndex(isName);
  if (variable < 0 || operands.length > 3 || (operands.length === 3 && variable !== 1)) return undefined;
  const low = operands[variable - 1] ?? apply('negate', INFINITY);
  const high = operands[variable + 1] ?? INFINITY;
  const open = operators[variable - 1] === '\\le' ? '[' : '(';
  const close = operators[variable] === '\\le' ? ']' : ')';
  return { kind: 'group', open, close, items: [low, high] };
}

function intervalUnion({ items }: Group): Expression | undefined {
  const intervals = items.map((item) => (item.kind === 'relation' ? interval(item) : undefined));
  if (intervals.length < 2 || !intervals.every((part) => part !== undefined)) return undefined;
  return intervals.reduce((left, right) => apply('cup', left!, right!));
}

function isUnit(expression: Expression): boolean {
  return expression.kind === 'apply' && expression.name === 'unit';
}

function sameMeasured(left: Expression, right: Expression): boolean {
  const [one, other] = [measured(left), measured(right)];
  if (one.unit !== undefined && other.unit !== undefined) {
    return unitsAgree(one.unit, other.unit) && sameAnswer(one.value, other.value);
  }
  if (sameAnswer(one.value, other.value)) return true;
  const [percent, plainValue] = one.unit === '%' ? [one, other] : [other, one];
  const hundredth = apply('divide', percent.value, { kind: 'number', digits: '100' });
  return percent.unit === '%' && percent.value.kind !== 'group' && sameAnswer(hundredth, plainValue.value);
}

function measured(expression: Expression): { readonly value: Expression; readonly unit: string | undefined } {
  if (expression.kind !== 'apply' || expression.name !== 'unit') {
    const value = withoutDegrees(expression);
    return { value, unit: value === expression ? undefined : 'degrees' };
  }
  const [value, unit] = expression.operands as [Expression, Expression & { readonly kind: 'text' }];
  return { value, unit: unit.text };
}

function sameText(left: Expression, right: Expression): boolean {
  const [one, other] = [words(left), words(right)];
  return one !== undefined && other !== undefined && one.toSorted().join() === other.toSorted().join();
}

/** The words of a text, of a list in it one by one; a letter is a text too. */
function words(expression: Expression): string[] | undefined {
  if (expression.kind === 'group') {
    const items = expression.items.map(words);
    return items.every((item) => item !== undefined) ? items.flat() : undefined;
  }
  if (expression.kind !== 'text' && expression.kind !== 'symbol') return undefined;
  const text = expression.kind === 'text' ? expression.text : expression.name;
  return text
    .toLowerCase()
    .split(',')
    .map((word) => word.replace(/[.()\s]/g, ''));
}

function isUnordered(expression: Expression): boolean {
  return expression.kind === 'group' && (expression.open === '' || expression.open === '{');
}

function itemsOf(expression: Expression): readonly Expression[] {
  return expression.kind === 'group' && isUnordered(expression) ? expression.items : [expression];
}

function sameItems(left: readonly Expression[], right: readonly Expression[]): boolean {
  if (left.length !== right.length || left.length > MOST_ITEMS) return false;
  const rest = [...left];
  return right.every((item) => {
    const place = rest.findIndex((candidate) => sameAnswer(candidate, item));
    if (place >= 0) rest.splice(place, 1);
    return place >= 0;
  });
}

function sameBrackets(left: Expression, right: Expression): boolean {
  if (left.kind !== 'group' || right.kind !== 'group') return false;
  if (left.open !== right.open || left.close !== right.close || left.items.length !== right.items.length)
    return false;
  return left.items.every((item, i) => sameAnswer(item, right.items[i]!));
}

function sameMatrix(left: Expression, right: Expression): boolean {
  if (left.kind !== 'matrix' || right.kind !== 'matrix' || left.rows.length !== right.rows.length)
    return false;
  const bars = [left, right].map(({ environment }) => /^[vV]/.exec(environment)?.[0]);
  if (bars[0] !== bars[1]) return false;
  return left.rows.every((row, i) => {
    const other = right.rows[i]!;
    return row.length === other.length && row.every((cell, j) => sameAnswer(cell, other[j]!));
  });
}

/** Degrees are a unit where the answer is an angle, and a factor where it is a function of one. */
function withoutDegrees(expression: Expression): Expression {
  let found = false;
  const bare = rewrite(expression, (part) => {
    if (part.kind !== 'apply') return part;
    if (part.name === 'degrees') {
      found = true;
      return part.operands[0]!;
    }
    return ['add', 'negate', 'multiply', 'divide'].includes(part.name) ? undefined : part;
  });
  return found ? bare : expression;
}
