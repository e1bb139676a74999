import type { Batch } from '@latent-sft/data';
import type { LossTerm } from '@latent-sft/losses';
import { mixtureFlops, type PassFlops, passFlops, visiblePairs } from '@latent-sft/model';
import type { ExampleTokens } from '@latent-sft/segmentation';
import { encoderBatch } from './encoder-batch.js';
import { mixtureWords, type StageContext } from './stage-context.js';
import type { StageOnePhase } from './stage-one.js';

/**
 * FLOPs of the losses of one packed batch, after `passFlops` and `mixtureFlops`. The linear maps go over all B * T
 * tokens, padding at the end of rows too, those of the last layer over target and latent rows; attention over the
 * pairs that the mask shows; the head over target and latent rows.
 *
 * @param moves whether the model trains; validation does not
 */
export function chainFlops(context: StageContext, batch: Batch, moves = true): PassFlops {
  return packedFlops(context, batch, { moves, read: [batch.targetRows], head: true });
}

/**
 * FLOPs of stage 1 on one packed batch: encoder, the mixtures that it makes, decoder.
 *
 * @param phase which of the two trains; null: neither, as in validation
 */
export function stageOneFlops(
  context: StageContext,
  phase: StageOnePhase | null,
  { encoder, decoder }: { readonly encoder: Batch; readonly decoder: Batch },
): PassFlops {
  const encoderMoves = phase === 'encoder' || phase === 'union';
  return sumFlops(
    // beside an adapter, the vector that the encoder reads in latent slots moves with it
    packedFlops(context, encoder, {
      moves: encoderMoves,
      read: [encoder.latentRows],
      head: false,
      inputsTrained: encoderMoves,
    }),
    latentHeadFlops(context, encoder.latentRows.length, encoderMoves),
    packedFlops(context, decoder, {
      moves: phase === 'decoder' || phase === 'union',
      read: [decoder.targetRows],
      head: true,
      inputsTrained: encoderMoves,
    }),
  );
}

/**
 * FLOPs of stage 2 on one packed batch: the labels' mixtures, the student, and the head where the term reads it.
 *
 * @param moves whether the student trains; validation does not
 */
export function studentFlops(context: StageContext, batch: Batch, term: LossTerm, moves = true): PassFlops {
  const { config, recipe } = context;
  const { tuning, latent } = recipe;
  const read = [
    ...(term === 'ce' ? [] : [batch.beforeLatents]),
    ...(term === 'kl' ? [] : [batch.targetRows]),
  ];
  return sumFlops(
    mixtureFlops(config, {
      latents: batch.latentRows.length,
      words: mixtureWords(config, latent.support),
      weightsTrained: false,
      tableTrained: tuning.method === 'full' || tuning.targets.includes('embed_tokens'),
    }),
    packedFlops(context, batch, { moves, read, head: true }),
  );
}

/** FLOPs of parts that are computed one after another, forward and backward. */
export function flopsOf(...parts: readonly PassFlops[]): number {
  const { forward, backward } = sumFlops(...parts);
  return forward + backward;
}

/** Tokens and FLOPs of the encoder's latents of examples, without gradients, as one batch. */
export function encodingWork(
  context: StageContext,
  examples: readonly ExampleTokens[],
): { readonly tokens: number; readonly flops: number } {
  const batch = encoderBatch(context, examples);
  const latents = batch.latentRows.length;
  const states = packedFlops(context, batch, { moves: false, read: [batch.latentRows], head: false });
  // what a cut support leaves to the other words takes the logits once more
  const { recipe, config } = context;
  const cut = mixtureWords(config, recipe.latent.support) < config.vocabularySize;
  const mass = cut ? 2 * latents * config.width * config.vocabularySize : 0;
  const flops = states.forward + latentHeadFlops(context, latents, false).forward + mass;
  return { tokens: batch.tokens, flops };
}

function sumFlops(...parts: readonly PassFlops[]): PassFlops {
  return {
    forward: parts.reduce((sum, { forward }) => sum + forward, 0),
    backward: parts.reduce((sum, { backward }) => sum + backward, 0),
  };
}

function packedFlops(
  { recipe, config }: StageContext,
  batch: Batch,
  pass: {
    readonly moves: boolean;
    /** The rows whose states are read, in lists without a row in common. */
    readonly read: readonly Int32Array[];
    /** Whether the output table is what reads them. */
    readonly head: boolean;
    readonly inputsTrained?: boolean;
  },
): PassFlops {
  const { tuning, checkpointing } = recipe;
  const rows = pass.read.reduce((sum, list) => sum + list.length, 0);
  const pairs = pass.read.reduce((sum, list) => sum + visiblePairs(batch.ranges, list), 0);
  return passFlops(config, {
    tokens: batch.rows * batch.length,
    pairs: visiblePairs(batch.ranges),
    read: { rows, pairs },
    headRows: pass.head ? rows : 0,
    trained: pass.moves ? tuning.method : 'none',
    // a model that stands still sees all of its inputs
    ...(tuning.method === 'lora' && { lora: pass.moves ? tuning : { ...tuning, dropout: 0 } }),
    inputsTrained: pass.inputsTrained ?? false,
    checkpoint: checkpointing,
  });
}

/**
 * L encoder states become mixtures of k words: logits of all V words, 2 L D V, and with k < V of the k words once
 * more, 2 L k D, since only they carry gradients; then the mixing. Both tables count as constants.
 */
function latentHeadFlops(
  { recipe, config }: StageContext,
  latents: number,
  encoderMoves: boolean,
): PassFlops {
  const { width, vocabularySize } = config;
  const words = mixtureWords(config, recipe.latent.support);
  const every = 2 * latents * width * vocabularySize;
  const chosen = 2 * latents * width * words;
  const mixing = { latents, words, weightsTrained: encoderMoves, tableTrained: false };
  return sumFlops(
    { forward: words < vocabularySize ? every + chosen : every, backward: encoderMoves ? chosen : 0 },
    mixtureFlops(config, mixing),
  );
}
