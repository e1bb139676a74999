/** One example: a question, its chain of thought as steps in order, and the answer. */
export interface ReasoningRecord {
  readonly question: string;
  readonly steps: readonly string[];
  readonly answer: string;
}
