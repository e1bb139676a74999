import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '@latent-sft/random';
import { countTensors } from '@latent-sft/tensor';
import { selectEngine } from '@latent-sft/tensorflow';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CostMeter,
  EventLog,
  readEvents,
  type StageWork,
  StoppedError,
  TrainableVector,
  trainStage,
  type Validation,
  withoutLostSteps,
} from '../src/index.js';

// At the top, because the first start of an engine may take longer than a hook is allowed.
await selectEngine('auto');

const SIZE = 40;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'train-stage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A stage whose loss at step t pulls the weights to where that step's noise says. */
function noisyStage(changes: Partial<StageWork> = {}): StageWork {
  const start = { shape: [5, SIZE / 5], data: randomStream(1, 'start').normal(SIZE) };
  return {
    name: 'noisy',
    steps: 12,
    learningRate: { peak: 0.1, warmup: 0.2, final: 0.1, shape: 'cosine' },
    optimiser: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clip: 1 },
    validateEvery: 3,
    checkpointEvery: 4,
    selectBy: 'loss',
    vector: new TrainableVector(new Map([['w', start]])),
    prepare(step) {
      const goal = tf.tensor2d(randomStream(1, 'goal', step).normal(SIZE), [5, SIZE / 5]);
      return {
        losses: [
          (parameters) => {
            const loss: tf.Scalar = tf.sum(tf.square(tf.sub(tf.sin(parameters.get('w')!), goal)));
            return { loss, parts: {} };
          },
        ],
        tokens: 1,
        flops: 2e6,
        dispose: () => goal.dispose(),
      };
    },
    validate: (parameters) => ({
      loss: tf.tidy(() => tf.sum(tf.square(parameters.get('w')!)).dataSync()[0]!),
      accuracy: 0,
      flops: 3,
    }),
    ...changes,
  };
}

/** Steps of at least 10 ms. */
function slowly(prepare: StageWork['prepare']): StageWork['prepare'] {
  return (step) => {
    const until = performance.now() + 10;
    while (performance.now() < until);
    return prepare(step);
  };
}

/** Trains in a folder of its own; `stopAt` aborts when that step has been validated. */
async function train(name: string, work: StageWork, stopAt?: number, meter = new CostMeter()) {
  const events = new EventLog(join(folder, `${name}.jsonl`));
  const controller = new AbortController();
  try {
    const result = await trainStage(work, {
      checkpoints: join(folder, name),
      events,
      signal: controller.signal,
      meter,
      onStep: ({ step }) => {
        if (step === stopAt) controller.abort();
      },
    });
    return { ...result, snapshot: work.vector.snapshot() };
  } finally {
    events.close();
    work.vector.dispose();
  }
}

describe('trainStage', () => {
  it('ends with the same bits when it is stopped and run again, as often as one likes', async () => {
    const whole = await train('whole', noisyStage());
    for (const stopAt of [3, 9]) {
      await expect(train('stopped', noisyStage(), stopAt)).rejects.toThrow(StoppedError);
    }
    const resumed = await train('stopped', noisyStage());
    expect(resumed.snapshot).toEqual(whole.snapshot);
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.best).toEqual(whole.best);
    const best = (name: string) => readFileSync(join(folder, name, 'best.safetensors'));
    expect(best('stopped').equals(best('whole'))).toBe(true);
  });

  it('goes on from the last checkpoint when what came after it is lost', async () => {
    const whole = await train('whole', noisyStage());
    await expect(train('killed', noisyStage(), 9)).rejects.toThrow('stopped noisy at step 9');
    // As after kill -9: the checkpoint of the stop itself was never written.
    rmSync(join(folder, 'killed', 'step-000000009'), { recursive: true });
    expect(readdirSync(join(folder, 'killed'))).toContain('step-000000008');
    const resumed = await train('killed', noisyStage());
    expect(resumed.snapshot).toEqual(whole.snapshot);
    expect(resumed.weights).toEqual(whole.weights);
  });

  it('has in its log every step once', async () => {
    await expect(train('log', noisyStage(), 6)).rejects.toThrow(StoppedError);
    await train('log', noisyStage());
    const events = withoutLostSteps(readEvents(join(folder, 'log.jsonl')));
    const stepsOf = (type: string) => events.filter((event) => event.type === type).map(({ step }) => step);
    expect(stepsOf('validation')).toEqual([3, 6, 9, 12]);
    expect(stepsOf('step')).toEqual([3, 6, 9, 10, 12]);
    expect(stepsOf('resume')).toEqual([6]);
  });

  it('counts what all parts of a stage cost, and what was lost once', async () => {
    const slow = { prepare: slowly(noisyStage().prepare) };
    await expect(train('costs', noisyStage(slow), 9)).rejects.toThrow(StoppedError);
    rmSync(join(folder, 'costs', 'step-000000009'), { recursive: true });
    const meter = new CostMeter();
    await train('costs', noisyStage(slow), undefined, meter);
    const { seconds, stepSeconds, tokens, flops, validationFlops, peakRssBytes } = meter.costs();
    expect({ tokens, flops, validationFlops }).toEqual({ tokens: 12, flops: 12 * 2e6, validationFlops: 12 });
    expect(stepSeconds).toBeGreaterThan(12 * 0.01);
    expect(seconds).toBeGreaterThan(stepSeconds);
    if (process.platform === 'linux') expect(peakRssBytes).toBeGreaterThan(1e7);
    const rates = readEvents(join(folder, 'costs.jsonl')).filter(({ type }) => type === 'step');
    for (const { tokensPerSecond, gflopsPerSecond } of rates) {
      expect(tokensPerSecond).toBeLessThan(100);
      expect(gflopsPerSecond).toBeLessThan(0.2);
      expect(gflopsPerSecond).toBeGreaterThan(0);
    }
  });

  it.each([
    ['loss', [5, 3, 4, 3], [0, 0, 1, 1], 6],
    ['accuracy', [5, 3, 4, 3], [0, 0.5, 0.5, 0.4], 6],
    ['accuracy', [5, 4, 3, 9], [0, 0.5, 0.5, 0.4], 9],
  ] as const)(
    'keeps the weights of the best validation by %s: losses %j',
    async (selectBy, losses, accuracies, step) => {
      const seen: number[][] = [];
      const validate = (parameters: Parameters<StageWork['validate']>[0]): Validation => {
        seen.push([...parameters.get('w')!.dataSync()]);
        return { loss: losses[seen.length - 1]!, accuracy: accuracies[seen.length - 1]!, flops: 0 };
      };
      const { best, weights } = await train('best', noisyStage({ selectBy, validate }));
      expect(best.step).toBe(step);
      expect([...weights.get('w')!.data]).toEqual(seen[step / 3 - 1]);
    },
  );

  it('ends with a sentence when the loss is no number, and keeps the checkpoint before', async () => {
    const { prepare } = noisyStage();
    const breaking = noisyStage({
      prepare: (step) => {
        const prepared = prepare(step);
        if (step < 6) return prepared;
        return {
          ...prepared,
          losses: prepared.losses.map((lossOf) => (parameters) => ({
            loss: tf.mul(lossOf(parameters).loss, Number.NaN),
            parts: {},
          })),
        };
      },
    });
    await expect(train('nan', breaking)).rejects.toThrow(
      'descend: expected a finite loss and gradient at step 7, got loss NaN of stage noisy',
    );
    expect(readdirSync(join(folder, 'nan'))).toContain('step-000000004');
  });

  it('leaves no tensor behind, whether it ends, is stopped, or fails', async () => {
    const before = countTensors();
    await expect(train('tensors', noisyStage(), 3)).rejects.toThrow(StoppedError);
    await train('tensors', noisyStage());
    expect(countTensors()).toBe(before);
  });
});
