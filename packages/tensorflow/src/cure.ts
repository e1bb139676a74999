import { fileURLToPath } from 'node:url';

/**
 * The command that sets the engine up: the repository's own script in a clone, the package's in an
 * installation.
 *
 * @param force Everything anew, for an engine that is whole but does not run.
 */
export function setUpCommand(force = false): string {
  const installed = fileURLToPath(import.meta.url).includes('/node_modules/');
  if (installed) return `npx latent-sft-engine setup${force ? ' --force' : ''}`;
  return `npm run setup${force ? ' -- --force' : ''}`;
}
