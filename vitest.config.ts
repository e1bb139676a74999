import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const source = { conditions: ['@latent-sft/source'] };
const folders = ['packages', 'apps'].flatMap((top) => readdirSync(top).map((name) => `${top}/${name}`));

export default defineConfig({
  test: {
    reporters: ['default', './tools/count-reporter.ts'],
    projects: folders.map((folder) => ({
      resolve: source,
      ssr: { resolve: source },
      test: {
        name: folder === 'apps/cli' ? 'latent-sft' : `@latent-sft/${folder.split('/')[1]}`,
        root: folder,
        include: ['test/**/*.test.ts'],
        pool: 'forks',
        testTimeout: 60_000,
      },
    })),
  },
});
