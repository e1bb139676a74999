/** What was given to a run cannot be used: its words, its model or its folder, and not what happened to it since. */
export class InputError extends Error {
  override name = 'InputError';
}

/** Runs what reads what was given, so that its errors can be told from failures. */
export async function asInput<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new InputError((error as Error).message, { cause: error });
  }
}
