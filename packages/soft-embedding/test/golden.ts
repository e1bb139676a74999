/**
 * Golden numbers of the vocabulary mixture, computed with PyTorch in float64 from the definitions of
 * arXiv 2510.15522, section 3, and rounded to six digits: six tokens, width 3, one state.
 */
export const TABLE = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [0, 1, 1],
  [-1, 0, 1],
];
export const STATE = [2, 1, 0.5];

export const FULL = {
  alpha: [0.202183, 0.074379, 0.045113, 0.54959, 0.12263, 0.006105],
  latent: [0.745667, 0.746599, 0.173849],
};
export const TOP_3 = {
  ids: [3, 0, 4],
  alpha: [0.628532, 0.231224, 0.140244],
  latent: [0.859756, 0.768776, 0.140244],
};
/** At temperature 0.5. */
export const TOP_3_COLD = { alpha: [0.843795, 0.114195, 0.04201], latent: [0.95799, 0.885805, 0.04201] };
export const TOP_1 = { ids: [3], alpha: [1], latent: [1, 1, 0] };

/** Gumbel draws of u = (0.9, 0.2, 0.5), and the top 3 under them. */
export const GUMBEL = [2.250367, -0.475885, 0.366513];
export const NOISY = [
  { variant: 'plain', scale: 1, temperature: 1, alpha: [0.94518, 0.022763, 0.032057] },
  { variant: 'plain', scale: 0.5, temperature: 1, alpha: [0.846655, 0.079692, 0.073653] },
  { variant: 'plain', scale: 1, temperature: 0.5, alpha: [0.998273, 0.000579, 0.001148] },
  { variant: 'clamped', scale: 3, temperature: 1, alpha: [0.963622, 0.004234, 0.032144] },
] as const;
