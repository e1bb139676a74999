/** Where a command writes: results to standard output, everything else to standard error. */
export interface Terminal {
  /** Writes a result; a line end is added. */
  result(text: string): void;
  /** Writes to standard error as it is. */
  note(text: string): void;
  /** Whether standard error is a terminal, on which a line can be redrawn. */
  readonly interactive: boolean;
  /** Characters a line. */
  readonly columns: number;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    result: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY === true,
    // 0 where the terminal does not know
    columns: process.stderr.columns || 100,
  };
}
