/**
 * Gives the indices of the texts that differ from every earlier one, white space and case aside.
 *
 * Duplicates would share the posterior of one path and raise N_eff; the authors' script removes them this way.
 *
 * @param texts Solutions as text.
 */
export function distinctPaths(texts: readonly string[]): number[] {
  const seen = new Set<string>();
  return texts.flatMap((text, index) => {
    const normalised = text.trim().replace(/\s+/g, ' ').toLowerCase();
    if (seen.has(normalised)) return [];
    seen.add(normalised);
    return [index];
  });
}
