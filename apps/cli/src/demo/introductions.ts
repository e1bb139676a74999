import type { Recipe } from '@latent-sft/training';

/** What each stage of the demo does, in a line or two. */
export function introduceStage({ segmenter, data, evaluation }: Recipe, stage: string): string | null {
  const chunk = segmenter.by === 'rate' ? `${segmenter.rate} chain tokens` : `${segmenter.by}`;
  const held = data.source === 'files' ? 'the validation split' : `${data.validation} questions held out`;
  const asked = `${evaluation.validationItems} of them are asked for accuracy`;
  const lines: Readonly<Record<string, string>> = {
    'no-cot':
      'No-CoT, the floor: the model learns to answer at once, without any reasoning in between. ' +
      `Every stage keeps the weights that did best on ${held}; ${asked}.`,
    cot: 'CoT-SFT, the ceiling: the same model learns to write the whole chain of steps, and then the answer.',
    encoder: 'Stage 1, encoder: it learns to turn segments of the chain into latents.',
    decoder: 'Stage 1, decoder: it learns to restore the chain from latents.',
    union:
      `Stage 1: an encoder turns every ${chunk} into one latent, a weighted mixture of vocabulary words; a decoder ` +
      'must restore the next piece of the chain, and the answer, from the latents alone.',
    labels: 'Soft labels: the encoder writes down the mixtures of every training question, once.',
    student:
      'Stage 2: the decoder learns to produce those mixtures itself, from the question alone, and to answer after them.',
  };
  return lines[stage] ?? null;
}
