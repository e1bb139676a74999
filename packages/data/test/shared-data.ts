import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A public data file that lies beside the checkout on some machines; tests that need it are skipped elsewhere. */
export function sharedFile(name: string): { path: string; missing: boolean } {
  const path = fileURLToPath(new URL(`../../../../shared/data/${name}`, import.meta.url));
  return { path, missing: !existsSync(path) };
}
