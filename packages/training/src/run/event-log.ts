import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { readAt, writeAll, writeError } from '@latent-sft/model';
import { z } from 'zod';

const NEWLINE = 10;
const PIECE_BYTES = 1 << 16;

const eventSchema = z
  .object({ type: z.string().min(1), stage: z.string().optional(), step: z.int().min(0).optional() })
  .catchall(z.union([z.number(), z.string(), z.boolean(), z.null()]));

/** One line of `events.jsonl`: what happened, in which stage, at which step, with its numbers. */
export type RunEvent = z.infer<typeof eventSchema>;

/** The append-only record of a run, one JSON object a line. */
export class EventLog {
  readonly #descriptor: number;
  #sizeBytes: number;

  /** Opens or creates the log; a last line without its end (the writer was killed) is cut off. */
  constructor(readonly file: string) {
    this.#descriptor = openSync(file, 'a+');
    this.#sizeBytes = endOfLastLine(this.#descriptor);
    ftruncateSync(this.#descriptor, this.#sizeBytes);
  }

  /**
   * Appends one event; it outlives the process at once, and a power cut after `sync`.
   * @throws If a number is NaN or infinite.
   * @throws If the disk is full; the log then ends with the event before.
   */
  append(event: RunEvent): void {
    const result = eventSchema.safeParse(event);
    if (!result.success) {
      const field = result.error.issues[0]!.path.join('.');
      const found = (event as Record<string, unknown>)[field];
      throw new Error(`EventLog.append: expected a finite number, text or flag in ${field}, got ${found}`);
    }
    const line = Buffer.from(`${JSON.stringify(event)}\n`);
    try {
      writeAll(this.#descriptor, line);
      this.#sizeBytes += line.byteLength;
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#sizeBytes);
      throw writeError('EventLog.append', this.file, line.byteLength, error);
    }
  }

  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Reads a log, also one that is being written: a last line without its end is left out.
 * @throws If the file is missing.
 * @throws If a line is not JSON, or not an event.
 */
export function readEvents(file: string): RunEvent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`readEvents: expected the file ${file}, got ${(error as NodeJS.ErrnoException).code}`);
  }
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return eventSchema.parse(JSON.parse(line));
    } catch {
      throw new Error(
        `readEvents: expected an event on line ${index + 1} of ${file}, got ${line.slice(0, 80)}`,
      );
    }
  });
}

/**
 * Leaves out the events of steps that were lost: a `resume` event of step s undoes its stage's later steps,
 * which were then run again.
 */
export function withoutLostSteps(events: readonly RunEvent[]): RunEvent[] {
  let kept: RunEvent[] = [];
  for (const event of events) {
    if (event.type === 'resume') {
      const { stage, step: resumedAt = 0 } = event;
      kept = kept.filter(
        ({ stage: other, step }) => other !== stage || step === undefined || step <= resumedAt,
      );
    }
    kept.push(event);
  }
  return kept;
}

/** Bytes up to and with the last line end, looked for from the end of the file. */
function endOfLastLine(descriptor: number): number {
  let end = fstatSync(descriptor).size;
  while (end > 0) {
    const begin = Math.max(0, end - PIECE_BYTES);
    const piece = new Uint8Array(end - begin);
    readAt(descriptor, piece, begin);
    const newline = piece.lastIndexOf(NEWLINE);
    if (newline >= 0) return begin + newline + 1;
    end = begin;
  }
  return 0;
}
