import { selectEngine } from '@latent-sft/tensorflow';

/** The engines that can run here: cpu always, and TensorFlow where it is set up. */
export const engines = await selectEngine('tensorflow').then(
  () => ['cpu', 'tensorflow'] as const,
  () => ['cpu'] as const,
);
