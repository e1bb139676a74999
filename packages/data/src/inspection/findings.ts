import type { LocatedRecord } from '../readers/located-record.js';
import type { RecordProblem } from '../readers/source-error.js';
import { hashQuestion } from '../splits/digest.js';

/** One kind of thing that is wrong with a file, or may be. */
export interface Finding {
  readonly kind:
    | 'unreadable'
    | 'empty-chain'
    | 'not-recomputing'
    | 'not-ending-in-answer'
    | 'repeated-question'
    | 'conflicting-answers';
  readonly count: number;
  /** The first of them: the place, and what is there. */
  readonly shown: readonly { readonly place: string; readonly what: string }[];
}

/** Collects findings by kind, keeping the first few of each. */
export class Findings {
  private readonly byKind = new Map<
    Finding['kind'],
    { count: number; shown: { place: string; what: string }[] }
  >();

  constructor(private readonly limit: number) {}

  add(kind: Finding['kind'], place: string, what: string): void {
    const found = this.byKind.get(kind) ?? { count: 0, shown: [] };
    this.byKind.set(kind, found);
    found.count += 1;
    if (found.shown.length < this.limit) found.shown.push({ place, what });
  }

  addProblem({ place, expected, got }: RecordProblem): void {
    this.add('unreadable', place, `expected ${expected}, got ${got}`);
  }

  list(): Finding[] {
    return [...this.byKind].map(([kind, found]) => ({ kind, ...found }));
  }
}

/** Looks at every record: chains that are empty or do not hold, questions that come again. */
export function checkRecords(located: readonly LocatedRecord[], findings: Findings): void {
  const first = new Map<string, LocatedRecord>();
  for (const found of located) {
    const { record, place, checks } = found;
    const last = record.steps.at(-1);
    if (last === undefined) findings.add('empty-chain', place, 'no step');
    else if (checks?.recomputes === false)
      findings.add('not-recomputing', place, record.steps.join(' ').slice(0, 80));
    else if (checks?.endsInAnswer === false) {
      findings.add(
        'not-ending-in-answer',
        place,
        `${last.slice(0, 60)}, yet the answer is ${record.answer.slice(0, 20)}`,
      );
    }
    const question = hashQuestion(record.question);
    const earlier = first.get(question);
    if (earlier === undefined) first.set(question, found);
    else if (earlier.record.answer === record.answer) {
      findings.add('repeated-question', place, `the question of ${earlier.place}`);
    } else {
      const answers = [record, earlier.record].map(({ answer }) => JSON.stringify(answer.slice(0, 20)));
      findings.add(
        'conflicting-answers',
        place,
        `the question of ${earlier.place}, yet ${answers.join(', not ')}`,
      );
    }
  }
}
