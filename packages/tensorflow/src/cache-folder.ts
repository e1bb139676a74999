import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder that holds everything downloaded or built: `$LATENT_SFT_CACHE`, else
 * `$XDG_CACHE_HOME/latent-sft`, else `~/.cache/latent-sft`.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.LATENT_SFT_CACHE) return resolve(environment.LATENT_SFT_CACHE);
  return join(resolve(environment.XDG_CACHE_HOME || join(homedir(), '.cache')), 'latent-sft');
}
