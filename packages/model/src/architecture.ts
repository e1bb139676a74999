/** What sets the decoders of one family apart from those of another. */
interface ArchitectureTraits {
  /** RMSNorm, or LayerNorm with a bias. */
  readonly norm: 'rms' | 'layer';
  /** Rotated queries and keys, or a table of vectors that is added to the input. */
  readonly positions: 'rotary' | 'learned';
  /** down(silu(gate) * up), or down(gelu(up)). */
  readonly feedForward: 'swiglu' | 'gelu';
  /** Whether the queries and keys of each head are normalised before they are rotated. */
  readonly queryKeyNorm: boolean;
  /** Maps with a bias whatever the config says. */
  readonly biasedMaps: readonly string[];
}

const QUERY_KEY_VALUE = ['q_proj', 'k_proj', 'v_proj'] as const;
export const ATTENTION_MAPS = [...QUERY_KEY_VALUE, 'o_proj'] as const;
export const FEED_FORWARD_MAPS = ['gate_proj', 'up_proj', 'down_proj'] as const;

const rotaryDecoder = { norm: 'rms', positions: 'rotary', feedForward: 'swiglu' } as const;

/** The decoders that are computed here, by Hugging Face's model types. */
export const ARCHITECTURES = {
  llama: { ...rotaryDecoder, queryKeyNorm: false, biasedMaps: [] },
  qwen2: { ...rotaryDecoder, queryKeyNorm: false, biasedMaps: QUERY_KEY_VALUE },
  qwen3: { ...rotaryDecoder, queryKeyNorm: true, biasedMaps: [] },
  gpt2: {
    norm: 'layer',
    positions: 'learned',
    feedForward: 'gelu',
    queryKeyNorm: false,
    biasedMaps: [...ATTENTION_MAPS, 'up_proj', 'down_proj'],
  },
} as const satisfies Readonly<Record<string, ArchitectureTraits>>;

export type Architecture = keyof typeof ARCHITECTURES;

/** What sets a family's decoders apart. */
export function traitsOf(architecture: Architecture): ArchitectureTraits {
  return ARCHITECTURES[architecture];
}

/** The names of the supported families, for messages. */
export function supportedArchitectures(): string {
  return Object.keys(ARCHITECTURES).join(', ');
}
