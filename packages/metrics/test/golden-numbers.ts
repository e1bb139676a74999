/**
 * Golden numbers, computed with PyTorch in float64 from the definitions that the docstrings give, to six decimals
 * (`mixture`: softmax of the logits 2, 1, 0.5, 3, 1.5, -1.5). Independent of this package.
 */
export const GOLDEN = {
  mixture: {
    alpha: [0.202183, 0.074379, 0.045113, 0.54959, 0.12263, 0.006105],
    entropy_nats: 1.273726,
    perplexity: 3.574144,
    z: [0.745667, 0.746599, 0.173849],
  },
  parallelism: {
    step_probabilities: [
      [0.4, 0.2, 0.12, 0.09, 0.07, 0.05, 0.04, 0.03],
      [0.06, 0.05, 0.38, 0.22, 0.11, 0.09, 0.05, 0.04],
      [0.02, 0.03, 0.05, 0.06, 0.1, 0.12, 0.41, 0.21],
    ],
    candidate_latents: [
      [1, 0],
      [0.6, 0.8],
      [0, 1],
    ],
    paths: [
      [0, 1, 2, 3, 6, 7],
      [2, 3, 0, 4, 6, 6],
      [5, 4, 7],
    ],
    reference_latents: [
      [
        [1, 0],
        [0.6, 0.8],
        [0, 1],
      ],
      [
        [0.6, 0.8],
        [1, 0],
        [0, 1],
      ],
      [
        [0, 1],
        [1, 0],
        [0.8, 0.6],
      ],
    ],
    assignments: [
      [0, 1, 2],
      [1, 0, 2],
      [1, 2, 0],
    ],
    top100: {
      scores: [-0.499896, -0.4881, -2.666133],
      posterior: [0.470262, 0.475842, 0.053896],
      n_eff: 2.376439,
      positional_scores: [-0.499896, -1.177019, -2.254552],
      positional_n_eff: 2.470964,
      exact_random_baseline: 2.591113,
      ratio: 0.91715,
    },
    top3: {
      scores: [-0.499896, -0.541856, -19.127435],
      n_eff: 1.99956,
      positional_n_eff: 1.787545,
      exact_random_baseline: 1.444909,
      ratio: 1.383866,
    },
    spans: { '7_tokens_in_3': [2, 2, 3], '2_tokens_in_3': [0, 1, 1] },
  },
  distribution: {
    effective_rank_diag_4_2_1_1: {
      entropy_of_singular_values: 3.363586,
      entropy_of_energy: 2.276322,
      stable_rank: 1.375,
    },
    a: [
      [0, 0],
      [2, 0],
      [0, 2],
      [2, 2],
    ],
    b: [
      [1, 1],
      [3, 1],
      [1, 3],
      [5, 5],
    ],
    fid: { cov_n_minus_1: 6.176479, cov_n: 5.757359 },
    mmd2_exp_minus_g_d2: {
      'g=0.5': { biased: 0.237117, unbiased: -0.226756 },
      'g=0.1': { biased: 0.177649, unbiased: -0.085628 },
    },
    pooled_squared_distance_median: { lower: 4, mid: 6 },
  },
} as const;
