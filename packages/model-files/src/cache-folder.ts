import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder that holds unpacked models: `$LATENT_SFT_CACHE/models`, else `$XDG_CACHE_HOME/latent-sft/models`,
 * else `~/.cache/latent-sft/models`.
 */
export function modelCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.LATENT_SFT_CACHE) return join(resolve(environment.LATENT_SFT_CACHE), 'models');
  return join(resolve(environment.XDG_CACHE_HOME || join(homedir(), '.cache')), 'latent-sft', 'models');
}
