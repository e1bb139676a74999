// Batching
export { type ExampleRows, exampleRows, type RowSettings, type RowTarget } from './batching/example-rows.js';
export { neededRows } from './batching/needed-rows.js';
export { type Batch, type PackSettings, packBatch } from './batching/pack-batch.js';
export { rowsBySize } from './batching/rows-by-size.js';
export type { Finding } from './inspection/findings.js';
export {
  type FileInspection,
  type InspectionOptions,
  inspectRecordFile,
  type SegmentedExample,
} from './inspection/inspect-record-file.js';
export type { Quantiles } from './inspection/quantiles.js';
export { countTokens, type LengthLimit, type LimitedExamples, limitLengths } from './limits/limit-lengths.js';
export { type PromptSettings, promptIds } from './prompts/prompt-ids.js';
export type { Container } from './readers/containers/container.js';
export { describeRecords, type RecordsDescription } from './readers/describe-records.js';
export { type EquationChain, equationChain } from './readers/equation-chain.js';
export type { NamedFormat } from './readers/formats/formats.js';
export type { FieldNames } from './readers/formats/own-fields.js';
export { type RecordFormat, type ResolvedFormat, recordFormats } from './readers/parse-rows.js';
export type { LeftOut, ReadOptions } from './readers/read-options.js';
export { type FileDescription, type RecordFile, readRecordFile } from './readers/read-record-file.js';
export { readRecords } from './readers/read-records.js';
export type { RecordProblem } from './readers/source-error.js';
export type { ReasoningRecord } from './record.js';
export { hashQuestion, recordsDigest } from './splits/digest.js';
export { type GeneratedSplits, generateSplits, type SplitSizes } from './splits/generate-splits.js';
export { type SplitOptions, splitRecords, withoutQuestions } from './splits/split-records.js';
export { type ModularArithmeticOptions, modularArithmetic } from './tasks/modular-arithmetic.js';
export type { OperationForm } from './tasks/modular-operations.js';
export { type ReachabilityOptions, reachability } from './tasks/reachability/reachability.js';
export { reachabilitySymbols, symboliseReachability } from './tasks/reachability/symbolise.js';
export { thinFacts } from './tasks/reachability/thin-facts.js';
export type { LengthRange, Task } from './tasks/task.js';
export { type VariableChainsOptions, variableChains } from './tasks/variable-chains.js';
export { type Segmenter, tokenizeRecord } from './tokenize-record.js';
export { characterTokenizer } from './tokenizers/character-tokenizer.js';
export { type GenerationTokenIds, generationTokenIds } from './tokenizers/generation-token-ids.js';
export { loadTokenizer, type MarkerOptions } from './tokenizers/load-tokenizer.js';
export type { TextRange } from './tokenizers/plain-ranges.js';
export { saveTokenizer } from './tokenizers/save-tokenizer.js';
export type { ChatTemplate, SpecialTokens, Tokenizer } from './tokenizers/tokenizer.js';
export { tokenizerDigest, tokenizerFromJSON } from './tokenizers/tokenizer-json.js';
export { wordTokenizer } from './tokenizers/word-tokenizer.js';
