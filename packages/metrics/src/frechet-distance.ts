import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { checkRows, type Rows } from './checks.js';

export interface FrechetOptions {
  /** Divisor of the covariance: n - 1 (default, as in FID) or n. */
  readonly divisor?: 'n-1' | 'n';
}

/**
 * Gives the squared Frechet distance between the Gaussians fitted to two sets of vectors (the FID formula).
 *
 * Formula: `|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^(1/2) C_b C_a^(1/2))^(1/2))` (Dowson and Landau, 1982; Heusel et
 * al., arXiv 1706.08500). Both roots are of symmetric matrices, so nothing turns complex.
 *
 * @param a `[n, d]`, n >= 2.
 * @param b `[m, d]`, m >= 2.
 * @returns In squared units of the vectors; at least 0.
 * @throws If a set has fewer than two rows, rows differ in width, or a value is not finite.
 */
export function frechetDistance(a: Rows, b: Rows, options: FrechetOptions = {}): number {
  const width = checkRows('frechetDistance', 'a', a, 2);
  const otherWidth = checkRows('frechetDistance', 'b', b, 2);
  if (otherWidth !== width) {
    throw new Error(`frechetDistance: expected b to have rows of ${width}, got ${otherWidth}`);
  }
  const first = moments(a, options.divisor ?? 'n-1');
  const second = moments(b, options.divisor ?? 'n-1');
  const root = squareRoot(first.covariance);
  const product = root.mmul(second.covariance).mmul(root);
  const { realEigenvalues } = new EigenvalueDecomposition(symmetric(product), { assumeSymmetric: true });
  const cross = realEigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const shift = first.mean.reduce((sum, value, i) => sum + (value - second.mean[i]!) ** 2, 0);
  return Math.max(0, shift + first.covariance.trace() + second.covariance.trace() - 2 * cross);
}

function moments(rows: Rows, divisor: 'n-1' | 'n'): { mean: number[]; covariance: Matrix } {
  const width = rows[0]!.length;
  const mean = Array.from(
    { length: width },
    (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length,
  );
  const centred = new Matrix(rows.map((row) => Array.from(row, (value, i) => value - mean[i]!)));
  const covariance = centred.transpose().mmul(centred);
  return { mean, covariance: covariance.div(divisor === 'n' ? rows.length : rows.length - 1) };
}

function squareRoot(matrix: Matrix): Matrix {
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  const roots = Matrix.diag(realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))));
  return eigenvectorMatrix.mmul(roots).mmul(eigenvectorMatrix.transpose());
}

/** Rounding leaves the product a hair off symmetric, which the decomposition would read as it is. */
function symmetric(matrix: Matrix): Matrix {
  return Matrix.add(matrix, matrix.transpose()).div(2);
}
