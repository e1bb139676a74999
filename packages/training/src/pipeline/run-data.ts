import {
  characterTokenizer,
  type FieldNames,
  generateSplits,
  loadTokenizer,
  modularArithmetic,
  type ReadOptions,
  type ReasoningRecord,
  type RecordFormat,
  reachability,
  readRecordFile,
  recordsDigest,
  splitRecords,
  symboliseReachability,
  type Task,
  type Tokenizer,
  thinFacts,
  variableChains,
  withoutQuestions,
  wordTokenizer,
} from '@latent-sft/data';
import { randomDraws } from '@latent-sft/random';
import type { Recipe } from '../recipe/recipe.js';
import { pretrainedPath } from './pretrained.js';

/** The records of a run; no question of validation or test is in training. */
export interface RunData {
  readonly train: readonly ReasoningRecord[];
  readonly validation: readonly ReasoningRecord[];
  readonly test: readonly ReasoningRecord[];
  readonly tokenizer: Tokenizer;
  /** Where the pretrained model lies; null for fresh weights. */
  readonly modelPath: string | null;
  /** Training rows left out because validation or test asks the same question. */
  readonly removed: number;
  /** sha256 of each split. */
  readonly digests: Readonly<Record<'train' | 'validation' | 'test', string>>;
  /** Accuracy of the best guess without reading the question, where the task knows it. */
  readonly chance: number | null;
}

/**
 * Makes or reads a recipe's records and its tokenizer, and fetches its pretrained model if it has one; the same
 * recipe gives the same data on every machine.
 *
 * @param onProgress told what is being fetched
 * @throws if a file is missing or malformed, naming file and line.
 * @throws if a task cannot give that many different questions.
 * @throws if there is no such pretrained model.
 */
export async function loadRunData(recipe: Recipe, onProgress?: (sentence: string) => void): Promise<RunData> {
  const { records, words, chance, removed } = await loadRecords(recipe);
  const modelPath = await pretrainedPath(recipe, onProgress);
  return {
    ...records,
    tokenizer: await tokenizerOf(recipe, words, modelPath),
    modelPath,
    removed,
    digests: {
      train: recordsDigest(records.train),
      validation: recordsDigest(records.validation),
      test: recordsDigest(records.test),
    },
    chance,
  };
}

async function tokenizerOf(
  { tokenizer, markers }: Recipe,
  words: readonly string[],
  modelPath: string | null,
): Promise<Tokenizer> {
  if (modelPath !== null) return loadTokenizer(modelPath, markers);
  // a task's vocabulary is words, and the space between two of them is a character too
  return tokenizer === 'words' ? wordTokenizer(words) : characterTokenizer([...words, ' ']);
}

/**
 * Reads a file to evaluate a run on, in the form that the run was trained on. Where neither format nor fields are given,
 * its fields are called what the run's own are, if those have names.
 *
 * @throws if the file is missing or malformed, naming file and line.
 */
export async function readEvaluationFile(
  recipe: Recipe,
  file: string,
  format: RecordFormat,
  fields?: FieldNames,
): Promise<{ records: ReasoningRecord[]; sha256: string }> {
  const own = format === 'auto' && recipe.data.source === 'files' ? recipe.data.fields : undefined;
  const options = { chains: 'all', fields: withoutChain(fields ?? own) } as const;
  const { records, description } = await readRecordFile(file, format, options);
  return { records: records.map((record) => inTrainedForm(recipe, record)), sha256: description.sha256 };
}

/** What is only to be answered needs no chain, nor a field for one. */
function withoutChain(fields: FieldNames | undefined): FieldNames | undefined {
  return fields && { question: fields.question, answer: fields.answer };
}

/** A record as the run's model reads it: reachability in symbols, all else as it is. */
export function inTrainedForm(recipe: Recipe, record: ReasoningRecord): ReasoningRecord {
  const spokenFacts = record.question.includes('.');
  return recipe.data.source === 'reachability' && spokenFacts
    ? symboliseReachability(record, recipe.seed)
    : record;
}

interface LoadedRecords {
  readonly records: Pick<RunData, 'train' | 'validation' | 'test'>;
  readonly words: readonly string[];
  readonly chance: number | null;
  readonly removed: number;
}

async function loadRecords({ data, seed }: Recipe): Promise<LoadedRecords> {
  if (data.source === 'files') return loadFiles(data, seed);
  const task = taskOf(data);
  const { dropped, ...records } = generateSplits(task, { ...data, seed });
  const loaded = { records, words: task.vocabulary, chance: task.chance, removed: dropped.train };
  return data.source === 'reachability' && data.thinned > 0
    ? withThinnedRows(loaded, data.thinned, seed)
    : loaded;
}

/** Thins the facts of a share of the training rows; validation and test stay as they are. */
function withThinnedRows(
  { records, removed, ...rest }: LoadedRecords,
  share: number,
  seed: number,
): LoadedRecords {
  const thinned = records.train.map((record, row) => {
    const random = randomDraws(seed, row);
    return random.uniform() < share ? thinFacts(record, random) : record;
  });
  // a question with fewer facts is another question, so it is checked against what is held out once more
  const checked = withoutQuestions(thinned, [...records.validation, ...records.test]);
  return { ...rest, records: { ...records, train: checked.records }, removed: removed + checked.removed };
}

type TaskSource = Exclude<Recipe['data'], { source: 'files' }>;

function taskOf(data: TaskSource): Task {
  if (data.source === 'modular-arithmetic') {
    return modularArithmetic({ form: data.form, operations: data.operations });
  }
  if (data.source === 'variable-chains') return variableChains({ variables: data.variables });
  return reachability({ form: 'symbols' });
}

async function loadFiles(
  data: Extract<Recipe['data'], { source: 'files' }>,
  seed: number,
): Promise<LoadedRecords> {
  const { format, fields, emptyChain } = data;
  const read = async (file: string, options: ReadOptions) =>
    (await readRecordFile(file, format, { fields, emptyChain, ...options })).records;
  const all = await read(data.train, { chains: data.chains });
  // what is held out is not chosen by its chains
  const split =
    typeof data.validation === 'string'
      ? { train: all, validation: await read(data.validation, { chains: 'all' }) }
      : splitRecords(all, { validation: data.validation, seed });
  const asked = { chains: 'all', emptyChain: 'keep', fields: withoutChain(fields) } as const;
  const test = data.test === undefined ? [] : await read(data.test, asked);
  const { records, removed } = withoutQuestions(split.train, [...split.validation, ...test]);
  const train = records.slice(0, data.trainRows);
  if (train.length === 0) {
    throw new Error(
      `loadRunData: expected training rows in ${data.train}, got none after validation was held out`,
    );
  }
  // the vocabulary is the training rows' alone: a held-out word must be an error, not a leak
  const words = train.flatMap(({ question, steps, answer }) => [question, ...steps, answer]);
  return { records: { train, validation: split.validation, test }, words, chance: null, removed };
}
