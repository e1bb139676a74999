export { type KlSupport, latentKl, type SlotLabels } from './latent-kl.js';
export { type LossSchedule, type LossTerm, lossTermAt } from './schedule.js';
export {
  type SupervisionOptions,
  type SupervisionReading,
  supervisionWeights,
} from './supervision-weights.js';
export { weightedNll } from './weighted-nll.js';
