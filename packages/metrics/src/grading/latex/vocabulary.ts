export const RELATIONS = new Set([
  '=',
  '<',
  '>',
  ':',
  '\\le',
  '\\ge',
  '\\ne',
  '\\approx',
  '\\in',
  '\\equiv',
  '\\to',
]);

export const SET_OPERATORS = new Set(['cup', 'cap', 'setminus']);

export const FUNCTIONS = new Set(
  ['sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'sinh', 'cosh', 'tanh', 'ln', 'log', 'exp'].concat([
    'arcsin',
    'arccos',
    'arctan',
  ]),
);

export const CLOSERS: Readonly<Record<string, string>> = {
  '(': ')',
  '[': ']',
  '\\{': '\\}',
  '\\lfloor': '\\rfloor',
  '\\lceil': '\\rceil',
};

const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau phi chi psi omega';

const CAPITALS =
  'Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega varepsilon vartheta varphi varrho varsigma';

/** Commands that stand for a constant, a variable or a set. */
export const SYMBOLS = new Set(
  `${GREEK} ${CAPITALS} pi infty emptyset ldots triangle angle prime ell`.split(' '),
);
