import type { RotaryStretch } from '@latent-sft/tensor';
import { ARCHITECTURES, type Architecture, supportedArchitectures, traitsOf } from './architecture.js';

/** The sizes and constants of a decoder; the architecture says what it is made of. */
export interface ModelConfig {
  readonly architecture: Architecture;
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly feedForwardWidth: number;
  /** Base of the rotary angles; null where positions are learned (gpt2). */
  readonly ropeBase: number | null;
  /** How the rotary angles are stretched (Llama 3); absent: not at all. */
  readonly ropeStretch?: RotaryStretch;
  readonly normEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly maxPositions: number;
  /** Biases on all maps of attention, where the architecture leaves it open (llama, qwen3). */
  readonly attentionBias?: boolean;
  /** Biases on all maps of the feed-forward part, where the architecture leaves it open (llama). */
  readonly feedForwardBias?: boolean;
}

// Far above any model; keeps a damaged header from asking for a list of 2^31 layers.
const MAX_LAYERS = 4096;

/**
 * Checks that a config can be computed and that its sizes fit together.
 * @throws If the architecture is not a supported one, or has no such field.
 * @throws If a size is not a whole number of at least 1.
 * @throws If there are more than 4096 layers.
 * @throws If the query heads are not a multiple of the key-value heads.
 * @throws If the head width is odd (RoPE rotates pairs), or the rotary angles have no base above 0.
 * @throws If gpt2's heads do not share its width out evenly.
 */
export function checkModelConfig(config: ModelConfig, origin: string): void {
  const { architecture, heads, keyValueHeads, headWidth, layers } = config;
  const refuse = (expected: string, got: unknown): never => {
    throw new Error(`checkModelConfig: expected ${expected}, got ${got}`);
  };
  if (!Object.hasOwn(ARCHITECTURES, architecture)) {
    refuse(`the architecture of ${origin} to be one of ${supportedArchitectures()}`, architecture);
  }
  for (const name of SIZES) {
    if (!Number.isSafeInteger(config[name]) || config[name] < 1) {
      refuse(`${name} of ${origin} to be a whole number >= 1`, config[name]);
    }
  }
  if (layers > MAX_LAYERS) refuse(`at most ${MAX_LAYERS} layers in ${origin}`, layers);
  if (heads % keyValueHeads !== 0) {
    refuse(`heads of ${origin} to be a multiple of keyValueHeads`, `${heads} and ${keyValueHeads}`);
  }
  if (config.attentionBias && architecture !== 'llama' && architecture !== 'qwen3') {
    refuse(`attentionBias of ${origin} for llama or qwen3 only`, architecture);
  }
  if (config.feedForwardBias && architecture !== 'llama') {
    refuse(`feedForwardBias of ${origin} for llama only`, architecture);
  }
  if (traitsOf(architecture).positions === 'rotary') {
    if (headWidth % 2 !== 0) refuse(`headWidth of ${origin} to be even`, headWidth);
    checkRotary(config, origin);
  } else if (keyValueHeads !== heads || headWidth * heads !== config.width) {
    refuse(
      `${heads} heads of ${origin} to share out its width of ${config.width}, each with a key of its own`,
      `${keyValueHeads} keys of ${headWidth}`,
    );
  }
}

const SIZES = [
  'vocabularySize',
  'width',
  'layers',
  'heads',
  'keyValueHeads',
  'headWidth',
  'feedForwardWidth',
  'maxPositions',
] as const;

function checkRotary({ ropeBase, ropeStretch }: ModelConfig, origin: string): void {
  if (ropeBase === null || !(ropeBase > 0 && ropeBase < Number.POSITIVE_INFINITY)) {
    throw new Error(`checkModelConfig: expected ropeBase of ${origin} to be above 0, got ${ropeBase}`);
  }
  if (!ropeStretch) return;
  const { factor, lowFrequencyFactor, highFrequencyFactor, trainedPositions } = ropeStretch;
  const fits =
    factor >= 1 &&
    Number.isFinite(factor) &&
    lowFrequencyFactor > 0 &&
    highFrequencyFactor > lowFrequencyFactor &&
    trainedPositions >= 1;
  if (!fits) {
    throw new Error(
      `checkModelConfig: expected ropeStretch of ${origin} with factor >= 1, 0 < lowFrequencyFactor < highFrequencyFactor and trainedPositions >= 1, got ${JSON.stringify(ropeStretch)}`,
    );
  }
}
