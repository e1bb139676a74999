export { type LossSchedule, type LossTerm, lossTermAt } from './schedule.js';
export {
  type SupervisionOptions,
  type SupervisionReading,
  supervisionWeights,
} from './supervision-weights.js';
