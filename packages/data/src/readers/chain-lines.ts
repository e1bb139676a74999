/** A chain as steps, one a line, line ends kept: joined they are the chain without its markers. */
export function chainLines(chain: string): string[] {
  const bare = chain
    .trim()
    .replace(/^<think>/, '')
    .replace(/<\/think>$/, '')
    .trim();
  return bare === '' ? [] : bare.split(/(?<=\n)(?=[^\S\n]*\S)/);
}
