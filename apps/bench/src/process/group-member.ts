import type { z } from 'zod';
import type { PeerName } from '../suites/suite.js';
import type { Method, Opened } from './messages.js';
import type { PeerProcess } from './peer-process.js';

/** Of what a failed peer said, so many characters at its beginning and at its end are told. */
const [BEGINNING, END] = [120, 200];

/** A peer of a group. One that others can do without fails for good: it is asked nothing more, and says why. */
export class GroupMember {
  opened: Opened | null = null;
  /** Why it is not measured any more. */
  failure: string | null = null;

  constructor(
    readonly name: PeerName,
    readonly process: PeerProcess,
    /** Without it there is nothing to compare with. */
    private readonly essential: boolean,
  ) {}

  /**
   * Asks, and gives null where the peer has failed, now or before.
   *
   * @throws if it is essential and fails.
   */
  async ask<T>(
    method: Method,
    schema: z.ZodType<T>,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<T | null> {
    if (this.failure !== null) return null;
    try {
      return await this.process.ask(method, schema, params);
    } catch (error) {
      if (this.essential) throw error;
      this.failure = shortened((error as Error).message);
      await this.process.close();
      return null;
    }
  }
}

function shortened(message: string): string {
  const line = message.replace(/\s+/g, ' ');
  return line.length <= BEGINNING + END ? line : `${line.slice(0, BEGINNING)} ... ${line.slice(-END)}`;
}
