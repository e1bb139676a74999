/** What a row is fed next: a token, its own newest mixture, or a given vector. */
export type Feed =
  | { readonly kind: 'token'; readonly id: number }
  | { readonly kind: 'mixture' }
  | { readonly kind: 'vector'; readonly values: Float32Array };

/** How a row reasons before it answers: in latents, in a written chain, or not at all. */
export type ReasoningMode = 'latent' | 'chain' | 'direct';

/** When a row stops. */
export interface StopSettings {
  readonly mode: ReasoningMode;
  /** The end marker's tokens; the first one, most probable at a latent step, ends the latent phase. */
  readonly end: readonly number[];
  readonly eos: number;
  readonly maxLatents: number;
  /** Limit on generated tokens: the answer's, and in a written chain the chain's as well. */
  readonly maxTokens: number;
}

/** Whether a latent phase ended by the model's own choice or by the limit. */
export type LatentStop = 'model' | 'limit' | 'given' | 'none';

/**
 * One row's way from the question to the end of its answer: which phase it is in, and what it is fed next.
 * It knows nothing of tensors.
 */
export class RowProgress {
  readonly tokens: number[] = [];
  latentCount = 0;
  latentStop: LatentStop = 'none';
  private phase: 'latent' | 'tokens' | 'done';
  private readonly queue: Feed[] = [];

  /** @param given latents to feed in place of the row's own, float32 [D] each. */
  constructor(
    private readonly settings: StopSettings,
    given: readonly Float32Array[] | undefined,
  ) {
    this.phase = settings.mode === 'latent' && !given ? 'latent' : 'tokens';
    if (given) {
      for (const values of given) this.queue.push({ kind: 'vector', values });
      this.latentCount = given.length;
      this.latentStop = 'given';
    }
    if (settings.mode !== 'chain' && this.phase === 'tokens') this.queueEnd();
  }

  get done(): boolean {
    return this.phase === 'done';
  }

  /** Whether the next step may be a latent one, so that a mixture must be at hand. */
  get thinking(): boolean {
    return this.phase === 'latent';
  }

  /**
   * Decides the next input from the newest logits.
   *
   * @param mostProbable argmax of the logits
   * @param choose draws an answer token
   * @returns the next input, or null when the row is done.
   */
  advance(mostProbable: number, choose: () => number): Feed | null {
    if (this.phase === 'latent') {
      const stopped = mostProbable === this.settings.end[0];
      if (!stopped && this.latentCount < this.settings.maxLatents) {
        this.latentCount++;
        return { kind: 'mixture' };
      }
      this.latentStop = stopped ? 'model' : 'limit';
      this.phase = 'tokens';
      this.queueEnd();
    }
    const forced = this.queue.shift();
    if (forced) return forced;
    const id = choose();
    if (id === this.settings.eos) return this.finish();
    this.tokens.push(id);
    if (this.tokens.length >= this.settings.maxTokens) return this.finish();
    return { kind: 'token', id };
  }

  private finish(): null {
    this.phase = 'done';
    return null;
  }

  private queueEnd(): void {
    for (const id of this.settings.end) this.queue.push({ kind: 'token', id });
  }
}
