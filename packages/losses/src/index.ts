export {
  type SupervisionOptions,
  type SupervisionReading,
  supervisionWeights,
} from '@latent-sft/segmentation';
export {
  type KlSupport,
  type LatentKlSettings,
  latentHeadKl,
  latentKl,
  type SlotLabels,
} from './latent-kl.js';
export { type LossSchedule, type LossTerm, lossTermAt } from './schedule.js';
export { weightedHeadNll, weightedNll } from './weighted-nll.js';
