/** Tokens of a question with its line end, of its chain, and of its answer with the end of text. */
export type QuestionLengths = readonly [prompt: number, chain: number, answer: number];

/**
 * 64 rows of GSM8K's training file (Cobbe et al. 2021), the chain as its equations `<<a*b=c>>` alone, in tokens of
 * SmolLM2: every 115th of its 7,378 rows with an equation, from short to long. Means 62.4, 32.9 and 3.3 beside 61.4,
 * 33.9 and 3.3 of all rows.
 */
// biome-ignore format: a table
export const GSM8K_LENGTHS: readonly QuestionLengths[] = [
  [34, 8, 3], [29, 18, 4], [37, 13, 4], [36, 17, 3], [42, 14, 2], [40, 17, 3], [40, 19, 3], [44, 16, 3],
  [41, 21, 3], [39, 25, 2], [47, 17, 3], [41, 25, 3], [49, 18, 3], [46, 21, 4], [49, 21, 3], [45, 25, 4],
  [49, 22, 4], [46, 26, 4], [55, 19, 3], [52, 23, 3], [61, 17, 2], [53, 24, 4], [66, 13, 3], [53, 27, 3],
  [36, 44, 4], [58, 25, 2], [50, 34, 2], [52, 33, 3], [56, 30, 3], [56, 29, 5], [64, 24, 3], [40, 49, 3],
  [51, 39, 4], [61, 31, 3], [47, 45, 4], [62, 33, 3], [65, 31, 3], [67, 30, 3], [48, 52, 2], [75, 25, 3],
  [74, 28, 3], [72, 30, 4], [67, 38, 3], [64, 42, 3], [78, 30, 3], [61, 49, 2], [83, 28, 3], [68, 40, 8],
  [83, 32, 3], [82, 35, 3], [62, 57, 3], [91, 29, 4], [66, 57, 4], [99, 28, 3], [80, 50, 3], [88, 45, 3],
  [68, 67, 4], [94, 45, 4], [74, 71, 3], [93, 55, 4], [103, 54, 2], [99, 64, 3], [130, 45, 3], [130, 68, 4],
];
