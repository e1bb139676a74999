import type { ExampleTokens } from '@latent-sft/segmentation';
import { countTokens } from '../limits/limit-lengths.js';
import type { RecordFormat } from '../readers/parse-rows.js';
import type { ReadOptions } from '../readers/read-options.js';
import { describeParsedFile, type FileDescription, parseFile } from '../readers/read-record-file.js';
import type { ReasoningRecord } from '../record.js';
import { type Segmenter, tokenizeRecord } from '../tokenize-record.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { checkRecords, type Finding, Findings } from './findings.js';
import { type Quantiles, quantiles } from './quantiles.js';

export interface InspectionOptions extends Pick<ReadOptions, 'fields' | 'chains'> {
  readonly segmenter: Segmenter;
  /** Makes the tokenizer that lengths are counted with, from the records where it is made of them. */
  readonly tokenizer: (records: readonly ReasoningRecord[]) => Tokenizer;
  /** How many records are shown in segments; default 3. */
  readonly examples?: number;
  /** How many findings of a kind are listed; default 10. */
  readonly findings?: number;
}

/** What a file holds, how it will be segmented, and what is wrong with it. */
export interface FileInspection {
  readonly description: FileDescription;
  readonly findings: readonly Finding[];
  /** Tokens of each part of an example, and how many latents it takes; null where there is no record. */
  readonly lengths: Readonly<Record<'question' | 'chain' | 'answer' | 'total' | 'latents', Quantiles | null>>;
  readonly examples: readonly SegmentedExample[];
}

/** A record as it will be segmented, every segment decoded. */
export interface SegmentedExample {
  readonly place: string;
  readonly question: string;
  readonly segments: readonly string[];
  readonly answer: string;
}

/**
 * Reads a whole file, passing over the rows that are wrong, and describes what there is.
 *
 * @throws if the file cannot be read at all, or the tokenizer refuses a record.
 */
export async function inspectRecordFile(
  file: string,
  format: RecordFormat,
  { fields, chains, segmenter, tokenizer: makeTokenizer, ...limits }: InspectionOptions,
): Promise<FileInspection> {
  const findings = new Findings(limits.findings ?? 10);
  const parsed = await parseFile(file, format, {
    fields,
    onProblem: (problem) => findings.addProblem(problem),
  });
  checkRecords(parsed.located, findings);
  const { records, places, description } = describeParsedFile(parsed, { chains });
  const tokenizer = makeTokenizer(records);
  const lengths = new Lengths();
  const examples: SegmentedExample[] = [];
  for (const [index, record] of records.entries()) {
    const tokens = tokenizeRecord(record, tokenizer, segmenter);
    lengths.add(tokens);
    if (index >= (limits.examples ?? 3)) continue;
    examples.push({
      place: places[index]!,
      question: record.question,
      segments: tokens.segments.map((segment) => tokenizer.decode(segment)),
      answer: record.answer,
    });
  }
  return { description, findings: findings.list(), lengths: lengths.quantiles(), examples };
}

/** Lengths alone, as the tokens of a large file would not fit beside its text. */
class Lengths {
  private readonly parts = {
    question: [] as number[],
    chain: [] as number[],
    answer: [] as number[],
    total: [] as number[],
    latents: [] as number[],
  };

  add(example: ExampleTokens): void {
    const { prompt, segments, answer } = example;
    this.parts.question.push(prompt.length);
    this.parts.chain.push(segments.reduce((total, segment) => total + segment.length, 0));
    this.parts.answer.push(answer.length);
    this.parts.total.push(countTokens(example));
    this.parts.latents.push(segments.length);
  }

  quantiles(): FileInspection['lengths'] {
    const { question, chain, answer, total, latents } = this.parts;
    return {
      question: quantiles(question),
      chain: quantiles(chain),
      answer: quantiles(answer),
      total: quantiles(total),
      latents: quantiles(latents),
    };
  }
}
