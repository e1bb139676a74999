import type { Tokenizer } from '@latent-sft/data';
import { parametersFrom } from '@latent-sft/model';
import {
  parseRecipe,
  type StageContext,
  type StageOnePhase,
  type StageWork,
  stageOne,
  studentStage,
} from '@latent-sft/training';
import * as tf from '@tensorflow/tfjs';
import type { ServedWork } from '../process/serve.js';
import type { WorkDescription } from '../workload/work-file.js';
import { LEAST_SECONDS } from './mean-seconds.js';
import { type OpenedWork, openModels } from './open-models.js';

/** Which model moves: in stage 1 the encoder, the decoder or both; in stage 2 the student. */
export type Phase = StageOnePhase | 'student';

/** Our own training steps, by the code that `latent-sft train` runs. */
export function openTraining(folder: string, phase: Phase): ServedWork {
  const opened = openModels(folder);
  const context = contextOf(opened);
  const stage = stageOf(opened, context, phase);
  let step = 0;
  const descend = () => {
    const begin = performance.now();
    const prepared = stage.prepare(step++);
    const ready = performance.now();
    try {
      const rate = stage.learningRate.peak;
      const { loss } = stage.vector.descend(prepared.losses, step, rate, stage.optimiser);
      const seconds = (performance.now() - begin) / 1000;
      return { seconds, prepareSeconds: (ready - begin) / 1000, flops: prepared.flops, loss };
    } finally {
      prepared.dispose();
    }
  };
  return {
    check: () => Array.from({ length: opened.work.training.checkedSteps }, () => descend().loss),
    run(testCase) {
      if (testCase !== phase) throw new Error(`openTraining: expected case ${phase}, got ${testCase}`);
      let [count, seconds, prepareSeconds] = [0, 0, 0];
      for (;;) {
        const one = descend();
        count++;
        seconds += one.seconds;
        prepareSeconds += one.prepareSeconds;
        if (seconds < LEAST_SECONDS) continue;
        return { seconds: seconds / count, prepareSeconds: prepareSeconds / count, flops: one.flops };
      }
    },
  };
}

function stageOf({ work, initial, base }: OpenedWork, context: StageContext, phase: Phase): StageWork {
  if (phase !== 'student') {
    const frozen: { encoder?: Map<string, tf.Tensor>; decoder?: Map<string, tf.Tensor> } = {};
    if (phase === 'decoder') frozen.encoder = parametersFrom(initial.encoder);
    if (phase === 'encoder') frozen.decoder = parametersFrom(initial.decoder);
    return stageOne(context, phase, initial, frozen);
  }
  const start = work.training.method === 'full' ? base : initial.decoder;
  const labels = work.labels.map(({ alpha, ids }) => ({
    alphas: Float32Array.from(alpha.flat()),
    ids: Uint32Array.from(ids.flat()),
  }));
  const refuse = () => {
    throw new Error('openTraining: expected no validation, got one');
  };
  return studentStage(context, start, { train: (example) => labels[example]!, validation: refuse });
}

/** The work as what a stage of training is given. */
export function contextOf({ work, base }: OpenedWork): StageContext {
  const { training, config, examples } = work;
  const lora = training.method === 'lora';
  return {
    recipe: recipeOf(work),
    config,
    tokenizer: markersOnly(work),
    base: lora ? { parameters: parametersFrom(base), scale: tf.scalar(training.scale) } : null,
    train: examples,
    validation: [],
    validationRecords: [],
  };
}

function recipeOf({ training, examples }: WorkDescription) {
  const { method, rank, alpha, support, learningRate, beta1, beta2, epsilon, weightDecay, clip } = training;
  const stage = { batch: examples.length, learningRate };
  return parseRecipe({
    name: 'bench',
    data: { source: 'modular-arithmetic' },
    // stages are handed their weights; that they are a base with adapters is all that this says
    ...(method === 'lora' && {
      model: { source: 'pretrained', from: 'bench' },
      tokenizer: 'model',
      tuning: { method, rank, alpha },
    }),
    latent: {
      support,
      temperature: 1,
      readout: 'input-table',
      noise: { variant: 'none' },
      endMarkerInMixtures: true,
    },
    optimiser: { beta1, beta2, epsilon, weightDecay, clip, warmup: 0, shape: 'constant' },
    stages: {
      encoder: stage,
      decoder: stage,
      union: stage,
      student: { ...stage, schedule: 'joint', klSupport: 'sparse', noise: { variant: 'none' } },
    },
  });
}

/** The work is in tokens already; stages read nothing of a tokenizer but its markers. */
function markersOnly({ special }: WorkDescription): Tokenizer {
  const refuse = () => {
    throw new Error('markersOnly: expected tokens, got a text');
  };
  return {
    kind: 'words',
    vocabulary: [],
    special: { pad: 0, think: special.think, end: special.end, eos: special.eos, compress: special.compress },
    encode: refuse,
    decode: refuse,
    toJSON: refuse,
  };
}
