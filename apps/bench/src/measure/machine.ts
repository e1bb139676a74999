import { availableParallelism, cpus, freemem, loadavg, platform, release, totalmem } from 'node:os';

/** The machine that figures come from. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

/** How busy the machine is besides. */
export interface Load {
  /** Runnable processes, mean over 1, 5 and 15 minutes. */
  readonly average: readonly [number, number, number];
  readonly freeMemoryBytes: number;
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
  };
}

export function load(): Load {
  const [one, five, fifteen] = loadavg();
  return { average: [one!, five!, fifteen!], freeMemoryBytes: freemem() };
}
