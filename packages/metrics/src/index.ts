export { type CandidateStep, topCandidates } from './candidate-step.js';
export { type ChainLengthReport, chainLength, type GeneratedLength } from './chain-length.js';
export type { Rows } from './checks.js';
export { cosineSimilarity, meanNorm, type RandomPairReport, randomPairCosine } from './cosine-similarity.js';
export { effectiveCompressionRate } from './effective-compression-rate.js';
export { type EffectiveRankReport, effectiveRank, singularValues } from './effective-rank.js';
export { entropy, perplexity } from './entropy.js';
export {
  FAITHFULNESS_ARMS,
  type FaithfulnessArm,
  type FaithfulnessArmName,
  type LatentList,
  latentsOfOtherItems,
  meanLatents,
  shuffleWithinItems,
  zeroLatents,
} from './faithfulness.js';
export { type FrechetOptions, frechetDistance } from './frechet-distance.js';
export {
  type AnswerForm,
  type ExtractedAnswer,
  extractAfterHashes,
  extractAfterPhrase,
  extractAnswer,
  extractBoxed,
  lastNumber,
} from './grading/extract-answer.js';
export { type ComparisonKind, grade } from './grading/grade.js';
export { type AnswerGrade, type GradeKind, gradeAnswer } from './grading/grade-answer.js';
export { gradeChoice } from './grading/grade-choice.js';
export { gradeExact } from './grading/grade-exact.js';
export { gradeLatex } from './grading/grade-latex.js';
export { gradeList } from './grading/grade-list.js';
export { gradeNumeric, type NumericOptions } from './grading/grade-number.js';
export { parseNumber } from './grading/parse-number.js';
export {
  type BootstrapOptions,
  bootstrapInterval,
  type Interval,
  studentTInterval,
  wilsonInterval,
} from './intervals.js';
export { type DiscrepancyOptions, medianSquaredDistance, mmd2 } from './maximum-mean-discrepancy.js';
export { distinctPaths } from './parallelism/distinct-paths.js';
export { greedyAlignment, type LatentDistance } from './parallelism/greedy-alignment.js';
export {
  type LatentChain,
  type ParallelismOptions,
  type ParallelismReport,
  parallelism,
  type ReasoningPath,
} from './parallelism/parallelism.js';
export type { BaselineOptions, RandomMatching } from './parallelism/random-matching.js';
export { tokenSpans } from './parallelism/token-spans.js';
export { meanPassAtK, type PassAtKReport, passAtK, passAtKReport, type SampledItem } from './pass-at-k.js';
