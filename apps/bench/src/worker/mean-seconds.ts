/** A turn repeats what is short for so long, one after the other as in use, and gives the mean: one alone is a cold one. */
export const LEAST_SECONDS = 0.5;

/** Seconds that something takes, the mean of a turn. */
export function meanSeconds(run: () => void): number {
  for (let [count, seconds] = [0, 0]; ; ) {
    const begin = performance.now();
    run();
    count++;
    seconds += (performance.now() - begin) / 1000;
    if (seconds >= LEAST_SECONDS) return seconds / count;
  }
}
