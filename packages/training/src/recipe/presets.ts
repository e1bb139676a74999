/** The published variants of the method, and ours. */
export const PRESETS = ['default', 'paper-v1', 'paper-v2', 'official-code'] as const;

export type Preset = (typeof PRESETS)[number];

type Settings = { readonly [key: string]: unknown };

/**
 * What all published variants share. AdamW is as the scripts run it: its linear decay comes from DeepSpeed's
 * configuration and overrides the cosine that they ask for. No source speaks of noise in stage 1.
 */
const published = {
  latent: { temperature: 1, noise: { variant: 'none' }, maxLatents: 128, endMarkerInMixtures: true },
  masks: { encoder: 'ltim', decoder: 'ltsum', segmentContext: 'latent', answerSeesLastLatent: true },
  optimiser: {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    clip: 1,
    warmup: 0.05,
    final: 0,
    shape: 'linear',
  },
};

/** Settings of the three phases of stage 1; the scripts choose the best checkpoint by accuracy. */
function stageOne(shared: Settings, encoder: Settings = {}) {
  const phase = { selectBy: 'accuracy', superviseAnswer: true, learningRate: 1e-4, ...shared };
  return { encoder: { ...phase, ...encoder }, decoder: phase, union: phase };
}

/** Stage 2 in all of them; the weights are those of the scripts, and of the sums without any. */
const student = { learningRate: 3e-4, batch: 512, klWeight: 1, ceWeight: 1 };

/**
 * What each preset changes of the defaults. Sources: arXiv 2510.15522 v1 and v2, and the released code (7c3bf2d beside
 * v1, f361814). Where a paper is silent its code speaks, and what none of them says keeps our default.
 */
const SETTINGS: Readonly<Record<Preset, Settings>> = {
  default: {},
  // Full vocabulary, no noise; KL, cross-entropy and both in turn; one position track; L_sup by suffixes.
  'paper-v1': {
    segmenter: { by: 'rate', rate: 4 },
    latent: { ...published.latent, support: 'full', readout: 'lm-head' },
    masks: { ...published.masks, positions: 'single' },
    optimiser: published.optimiser,
    stages: {
      ...stageOne({ supervision: 'suffix-mean', batch: 2048 }, { learningRate: 5e-5 }),
      student: { ...student, schedule: ['kl', 'ce', 'joint'], noise: { variant: 'none' } },
    },
  },
  // Full vocabulary; Gumbel(0, 1) on the labels, neither clamped nor guarded; KL and cross-entropy summed as they are.
  'paper-v2': {
    segmenter: { by: 'rate', rate: 2 },
    latent: { ...published.latent, support: 'full', readout: 'lm-head' },
    masks: { ...published.masks, positions: 'dual' },
    optimiser: published.optimiser,
    stages: {
      ...stageOne({ supervision: 'suffix-mean', batch: 512 }),
      student: { ...student, schedule: 'joint', noise: { variant: 'plain', scale: 1, guard: false } },
    },
  },
  // Top 10 of the input table; clamped Gumbel with the end-marker guard; joint loss; token mean.
  'official-code': {
    segmenter: { by: 'rate', rate: 2 },
    latent: { ...published.latent, support: 10, readout: 'input-table' },
    masks: { ...published.masks, positions: 'dual' },
    optimiser: published.optimiser,
    stages: {
      ...stageOne({ supervision: 'token-mean', batch: 512 }),
      student: { ...student, schedule: 'joint', noise: { variant: 'clamped', scale: 1, guard: true } },
    },
  },
};

/** Adapters on every projection; the encoder's one on the input table is our vector for latent slots. */
const publishedTuning = { method: 'lora', rank: 64, alpha: 128, dropout: 0.1 };

/**
 * A recipe with a preset's settings wherever it says nothing itself. Adapters are for pretrained models only.
 *
 * @param recipe as a person wrote it
 */
export function withPreset(preset: Preset, recipe: Settings): Settings {
  const pretrained = isSettings(recipe.model) && recipe.model.source === 'pretrained';
  const tuning = preset !== 'default' && pretrained ? { tuning: publishedTuning } : {};
  return merged({ ...SETTINGS[preset], ...tuning }, recipe);
}

function merged(under: Settings, over: Settings): Settings {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    result[key] =
      isSettings(below) && isSettings(value) && sameKind(below, value) ? merged(below, value) : value;
  }
  return result;
}

/** Fields that decide which others may stand beside them. */
const KINDS = ['by', 'method'];

function sameKind(under: Settings, over: Settings): boolean {
  return KINDS.every((kind) => over[kind] === undefined || over[kind] === under[kind]);
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
