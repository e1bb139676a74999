/**
 * Gives the quantile of Student's t distribution for a share in (1/2, 1), by bisection on its distribution function.
 *
 * Formula: `P(T <= t) = 1 - I_x(v/2, 1/2)/2` for t > 0, `x = v/(v + t^2)`, I the regularised incomplete beta function
 * (Abramowitz and Stegun 26.7.1).
 */
export function studentTQuantile(share: number, freedom: number): number {
  const below = (t: number) => 1 - regularisedBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2 < share;
  let [low, high] = [0, 1];
  while (below(high) && high < 1e300) high *= 2;
  for (let step = 0; step < 200 && low < high; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** `I_x(a, b)` by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated with Lentz's method. */
function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only left of the mean; right of it the symmetric one does.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const tiny = 1e-300;
  let [fraction, numerator, denominator] = [1, 1, 0];
  for (let term = 0; term < 500; term++) {
    const half = Math.floor(term / 2);
    let coefficient = 1;
    if (term > 0 && term % 2 === 0) {
      coefficient = (half * (b - half) * x) / ((a + 2 * half - 1) * (a + 2 * half));
    } else if (term > 0) {
      coefficient = (-(a + half) * (a + b + half) * x) / ((a + 2 * half) * (a + 2 * half + 1));
    }
    denominator = 1 / nonZero(1 + coefficient * denominator, tiny);
    numerator = nonZero(1 + coefficient / numerator, tiny);
    const change = numerator * denominator;
    fraction *= change;
    if (term > 0 && Math.abs(change - 1) < 1e-15) break;
  }
  return (front / a) * (fraction - 1);
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

const LANCZOS_FIRST = 0.9999999999998099;
const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** Lanczos' approximation with g = 7 and nine terms (relative error about 1e-15 for x > 1/2). */
function logGamma(x: number): number {
  const shifted = x - 1;
  const base = shifted + 7.5;
  const series = LANCZOS.reduce(
    (sum, coefficient, i) => sum + coefficient / (shifted + i + 1),
    LANCZOS_FIRST,
  );
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(series);
}
