import { readFileSync } from 'node:fs';

/**
 * The most memory that this process has held so far, in bytes: its peak resident set (`VmHWM`), tensors of TensorFlow
 * included; null where the system does not say (other than Linux).
 *
 * `process.resourceUsage().maxRSS` is no substitute: a child process starts with its parent's.
 */
export function peakRssBytes(): number | null {
  try {
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}
