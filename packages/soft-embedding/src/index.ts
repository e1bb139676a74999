export { capturedMass } from './captured-mass.js';
export { type GumbelSettings, type GumbelVariant, gumbelNoise, shapeNoise } from './gumbel-noise.js';
export { type LabelNoise, perturbLabels, type SoftLabels } from './soft-labels.js';
export {
  type MixtureSettings,
  mixtureOfLogits,
  type VocabularyMixture,
  vocabularyMixture,
} from './vocabulary-mixture.js';
