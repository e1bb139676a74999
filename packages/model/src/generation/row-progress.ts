/** What a row is fed next: a token, or its own newest mixture. */
export type Feed = { readonly kind: 'token'; readonly id: number } | { readonly kind: 'mixture' };

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
  /**
   * What follows the prompt before the model has said anything: given latents, float32 [D] each, and the end marker
   * of an answer without reasoning. Empty where the row has no room for it.
   */
  readonly lead: readonly (number | Float32Array)[];
  latentCount = 0;
  latentStop: LatentStop = 'none';
  private phase: 'latent' | 'tokens' | 'done';
  private readonly queue: number[] = [];

  /**
   * @param given latents to feed in place of the row's own, float32 [D] each
   * @param room how many inputs a model can read after the prompt: a row ends where there is none for the next
   */
  constructor(
    private readonly settings: StopSettings,
    given: readonly Float32Array[] | undefined,
    private room = Number.POSITIVE_INFINITY,
  ) {
    this.phase = settings.mode === 'latent' && !given ? 'latent' : 'tokens';
    if (given) {
      this.latentCount = given.length;
      this.latentStop = 'given';
    }
    const closed = settings.mode !== 'chain' && this.phase === 'tokens';
    const lead = [...(given ?? []), ...(closed ? settings.end : [])];
    const fits = lead.length <= room;
    this.lead = fits ? lead : [];
    this.room -= this.lead.length;
    if (!fits) this.phase = 'done';
  }

  get done(): boolean {
    return this.phase === 'done';
  }

  /** Whether the next input depends on the logits; else it is known already. */
  get awaitsLogits(): boolean {
    return this.phase === 'latent' || (this.phase === 'tokens' && this.queue.length === 0);
  }

  /**
   * Decides the next input from the newest logits.
   *
   * @param mostProbable argmax of the logits
   * @param choose draws an answer token
   * @returns the next input, or null when the row is done.
   */
  advance(mostProbable: number, choose: () => number): Feed | null {
    const { end, eos, maxLatents, maxTokens } = this.settings;
    if (this.phase === 'latent') {
      const stopped = mostProbable === end[0];
      // after a latent there must be room for the end marker
      if (!stopped && this.latentCount < maxLatents && this.room > end.length) {
        this.latentCount++;
        return this.feed({ kind: 'mixture' });
      }
      this.latentStop = stopped ? 'model' : 'limit';
      this.phase = 'tokens';
      this.queue.push(...end);
    }
    const forced = this.queue.shift();
    if (forced !== undefined) return this.feed({ kind: 'token', id: forced });
    const id = choose();
    if (id === eos) return this.finish();
    this.tokens.push(id);
    if (this.tokens.length >= maxTokens) return this.finish();
    return this.feed({ kind: 'token', id });
  }

  private feed(next: Feed): Feed | null {
    if (this.room < 1) return this.finish();
    this.room--;
    return next;
  }

  private finish(): null {
    this.phase = 'done';
    return null;
  }
}
