import type { ReasoningRecord } from '../record.js';

/** What a chain of equations was checked for. */
export interface ChainChecks {
  readonly recomputes: boolean;
  readonly endsInAnswer: boolean;
}

/** A record and where it stands: `line 7`, `item 7` or `row 7`. */
export interface LocatedRecord {
  readonly record: ReasoningRecord;
  readonly place: string;
  readonly checks?: ChainChecks;
}
