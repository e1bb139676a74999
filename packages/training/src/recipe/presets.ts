/** The published variants of the method, and ours. */
export const PRESETS = ['default', 'paper-v1', 'paper-v2', 'official-code'] as const;

export type Preset = (typeof PRESETS)[number];

type Settings = { readonly [key: string]: unknown };

/** AdamW as the released scripts run it; their linear decay comes from DeepSpeed's configuration. */
const officialOptimiser = {
  beta1: 0.9,
  beta2: 0.999,
  weightDecay: 0.01,
  clip: 1,
  warmup: 0.05,
  final: 0,
  shape: 'linear',
};

const officialRates = {
  encoder: { learningRate: 1e-4 },
  decoder: { learningRate: 1e-4 },
  union: { learningRate: 1e-4 },
  student: { learningRate: 3e-4 },
};

/** Adds settings to each of the three phases of stage 1. */
function stageOne(settings: Settings, stages: Readonly<Record<string, Settings>> = officialRates) {
  const phases = ['encoder', 'decoder', 'union'].map((phase) => [phase, { ...stages[phase], ...settings }]);
  return { ...stages, ...Object.fromEntries(phases) };
}

/**
 * What each preset changes of the defaults. Sources: arXiv 2510.15522 v1 and v2, and the released code (commit
 * f361814); what none of them says keeps our default.
 */
const SETTINGS: Readonly<Record<Preset, Settings>> = {
  default: {},
  // Full vocabulary, no noise; KL, cross-entropy and both in turn; one position track; L_sup by suffixes.
  'paper-v1': {
    latent: {
      support: 'full',
      temperature: 1,
      readout: 'lm-head',
      noise: { variant: 'none' },
      endMarkerInMixtures: true,
    },
    masks: { positions: 'single', segmentContext: 'latent' },
    optimiser: officialOptimiser,
    stages: {
      ...stageOne({ supervision: 'suffix-mean' }),
      student: {
        ...officialRates.student,
        schedule: ['kl', 'ce', 'joint'],
        klSupport: 'full',
        noise: { variant: 'none' },
      },
    },
  },
  // Full vocabulary; Gumbel(0, 1) on the labels, not clamped; KL and cross-entropy summed without weights.
  'paper-v2': {
    latent: {
      support: 'full',
      temperature: 1,
      readout: 'lm-head',
      noise: { variant: 'none' },
      endMarkerInMixtures: true,
    },
    masks: { positions: 'dual', segmentContext: 'latent' },
    optimiser: officialOptimiser,
    stages: {
      ...stageOne({ supervision: 'suffix-mean' }),
      student: {
        ...officialRates.student,
        schedule: 'joint',
        klWeight: 1,
        ceWeight: 1,
        klSupport: 'full',
        noise: { variant: 'plain', scale: 1 },
      },
    },
  },
  // Top 10 of the input table; clamped Gumbel with the end-marker guard; joint loss; token mean.
  'official-code': {
    latent: {
      support: 10,
      temperature: 1,
      readout: 'input-table',
      noise: { variant: 'none' },
      endMarkerInMixtures: true,
    },
    masks: { positions: 'dual', segmentContext: 'latent' },
    optimiser: officialOptimiser,
    stages: {
      ...stageOne({ supervision: 'token-mean' }),
      student: {
        ...officialRates.student,
        schedule: 'joint',
        klWeight: 1,
        ceWeight: 1,
        klSupport: 'sparse',
        noise: { variant: 'clamped', scale: 1 },
      },
    },
  },
};

const officialTuning = { method: 'lora', rank: 64, alpha: 128, dropout: 0.1 };

/**
 * A recipe with a preset's settings wherever it says nothing itself.
 *
 * @param recipe as a person wrote it
 */
export function withPreset(preset: Preset, recipe: Settings): Settings {
  const pretrained = isSettings(recipe.model) && recipe.model.source === 'pretrained';
  const tuned = preset !== 'default' && pretrained && recipe.tuning === undefined;
  const tuning = tuned ? { tuning: officialTuning } : {};
  return merged({ ...SETTINGS[preset], ...tuning }, recipe);
}

function merged(under: Settings, over: Settings): Settings {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    result[key] = isSettings(below) && isSettings(value) ? merged(below, value) : value;
  }
  return result;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
