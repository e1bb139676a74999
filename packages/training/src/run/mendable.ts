/** Reads files of a stage; if they are damaged, the message ends with what mends it. */
export function mendable<T>(folder: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${(error as Error).message}; remove ${folder} to have it made anew`, { cause: error });
  }
}
