import type { FileInspection, Finding, SegmentedExample } from '@latent-sft/data';
import { drawTable } from './table.js';

const KINDS: Readonly<Record<Finding['kind'], string>> = {
  unreadable: 'rows that are no record',
  'empty-chain': 'records without a chain',
  'not-recomputing': 'chains with a step that does not recompute',
  'not-ending-in-answer': 'chains that do not end in the answer',
  'repeated-question': 'records whose question came before',
  'conflicting-answers': 'records whose question came before with another answer',
};

const SHOWN_SEGMENTS = 24;

/** What was asked for, in words. */
export interface InspectionWords {
  readonly tokenizer: string;
  /** `every 2 tokens`. */
  readonly cut: string;
  /** Whether the format was told from the first row. */
  readonly detected: boolean;
}

/** What a file holds, in words and tables. */
export function drawInspection(
  inspection: FileInspection,
  { tokenizer, cut, detected }: InspectionWords,
): string {
  const { description, examples, findings } = inspection;
  return [
    summary(description, detected),
    ...(description.records === 0
      ? []
      : [
          drawSteps(description.stepCounts),
          drawLengths(inspection, tokenizer),
          `segments, cut ${cut}:\n${examples.map(drawExample).join('\n')}`,
        ]),
    findings.length === 0 ? 'nothing wrong with it' : findings.map(drawFinding).join('\n'),
  ].join('\n\n');
}

function summary(description: FileInspection['description'], detected: boolean): string {
  const { file, container, format, sizeBytes, sha256, rows, records, dropped } = description;
  const { emptyChains, duplicateQuestions, digest } = description;
  const told = detected && format !== null ? ', told from its first row' : '';
  return [
    `file     ${file}, ${count(sizeBytes)} bytes, sha256 ${sha256}`,
    `format   ${format === 'fields' ? 'fields by name' : (format ?? 'unknown')} in ${container}${told}`,
    `records  ${count(records)} of ${count(rows)}, ${count(dropped)} left out, digest ${digest}`,
    `         ${count(emptyChains)} without a chain, ${count(duplicateQuestions)} with a question that came before`,
  ].join('\n');
}

function drawSteps(counts: FileInspection['description']['stepCounts']): string {
  const most = Math.max(...counts.map(({ records }) => records));
  const rows = counts.slice(0, 20).map(({ steps, records }) => {
    const bar = '■'.repeat(Math.ceil((30 * records) / most));
    return `${String(steps).padStart(5)}  ${count(records).padStart(9)}  ${bar}`;
  });
  const rest = counts.slice(20).reduce((sum, { records }) => sum + records, 0);
  return ['steps    records', ...rows, ...(rest > 0 ? [` more  ${count(rest).padStart(9)}`] : [])].join('\n');
}

function drawLengths({ lengths }: FileInspection, tokenizer: string): string {
  const head = [`tokens (${tokenizer})`, 'smallest', 'median', '90 %', '99 %', 'largest'];
  const rows = Object.entries(lengths).flatMap(([part, found]) =>
    found === null
      ? []
      : [[part, ...[found.smallest, found.median, found.p90, found.p99, found.largest].map(count)]],
  );
  return drawTable(head, rows);
}

function drawExample({ place, question, segments, answer }: SegmentedExample): string {
  const shown = segments.slice(0, SHOWN_SEGMENTS).map((segment) => `[${oneLine(segment, 60)}]`);
  const more = segments.length - shown.length;
  return [
    `  ${place}: ${oneLine(question, 90)}`,
    `    ${segments.length === 0 ? 'no segments' : shown.join(' ')}${more > 0 ? ` and ${more} more` : ''}`,
    `    answer ${oneLine(answer, 80)}`,
  ].join('\n');
}

function drawFinding({ kind, count: total, shown }: Finding): string {
  const more = total - shown.length;
  return [
    `${KINDS[kind]}: ${count(total)}`,
    ...shown.map(({ place, what }) => `  ${place}: ${oneLine(what, 200)}`),
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ].join('\n');
}

function oneLine(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
