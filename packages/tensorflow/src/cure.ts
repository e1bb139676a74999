import { fileURLToPath } from 'node:url';

/** The command that sets the engine up: the repository's own script in a clone, the package's in an installation. */
export function setUpCommand(): string {
  const installed = fileURLToPath(import.meta.url).includes('/node_modules/');
  return installed ? 'npx latent-sft-engine setup' : 'npm run setup';
}
