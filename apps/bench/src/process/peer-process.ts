import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { answerSchema, type Method } from './messages.js';

/** How a peer is started. */
export interface PeerCommand {
  readonly program: string;
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const TAIL_CHARACTERS = 4000;
const TIMEOUT_MS = 20 * 60_000;

/** A child process that answers requests, one at a time, for as long as it lives. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #tail = '';
  #ended: Error | null = null;

  constructor(
    readonly name: string,
    command: PeerCommand,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    this.#child = spawn(command.program, [...command.words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...command.environment },
    });
    // a peer that died is reported by its exit, and not by the pipe to it
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL_CHARACTERS);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#hear(line));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) => this.#end(`ended with ${signal ?? `code ${code}`}`));
  }

  /**
   * Asks and waits for the answer.
   *
   * @throws if the peer says that it failed, ends, answers out of form, or takes too long.
   */
  async ask<T>(
    method: Method,
    schema: z.ZodType<T>,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<T> {
    if (this.#ended) throw this.#ended;
    const id = this.#next++;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      timer = setTimeout(() => {
        this.#end(`gave no answer to ${method} in ${this.timeoutMs / 1000} s`);
        this.kill();
      }, this.timeoutMs);
    });
    this.#child.stdin!.write(`${JSON.stringify({ id, method, params })}\n`);
    try {
      const result = schema.safeParse(await answer);
      if (result.success) return result.data;
      throw new Error(
        `ask: expected an answer of peer ${this.name} to ${method} in form, got ${result.error.issues[0]!.message}`,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the peer; the result is there once it is gone, and its memory with it. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.pid)
        return resolve();
      this.#child.once('close', () => resolve());
      this.kill();
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(line: string): void {
    let answer: z.output<typeof answerSchema>;
    try {
      answer = answerSchema.parse(JSON.parse(line));
    } catch {
      this.#end(`wrote a line that is no answer: ${line.slice(0, 200)}`);
      this.kill();
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(`peer ${this.name}: ${answer.error}`));
    else waiting?.resolve(answer.result);
  }

  #end(what: string): void {
    const said = this.#tail.trim();
    this.#ended ??= new Error(`peer ${this.name} ${what}${said && `; it said: ${said}`}`);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}
