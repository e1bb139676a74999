import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { attentionMask, countTensors, rotaryTable, selectRows, withoutLeaks } from '../src/index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('withoutLeaks', () => {
  it('gives the result of the call', async () => {
    expect(await withoutLeaks(() => tf.tidy(() => tf.add(1, 2).dataSync()[0]))).toBe(3);
    expect(await withoutLeaks(async () => 'waited for')).toBe('waited for');
  });

  it('names how many tensors were left', async () => {
    const kept: tf.Tensor[] = [];
    await expect(
      withoutLeaks(() => {
        kept.push(tf.scalar(1), tf.scalar(2));
      }),
    ).rejects.toThrow('withoutLeaks: expected 0 more tensors than before, got 2');
    tf.dispose(kept);
  });

  it('allows the tensors that the caller keeps, and no fewer', async () => {
    const tensor = await withoutLeaks(() => tf.scalar(1), 1);
    await expect(withoutLeaks(() => tensor.dispose())).rejects.toThrow('got -1');
    await expect(withoutLeaks(() => 0, 1)).rejects.toThrow('expected 1 more tensors than before, got 0');
  });

  it('passes errors of the call on', async () => {
    await expect(withoutLeaks(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });
});

describe('what owns tensors gives them back', () => {
  it('masks, selections and rotary tables', () => {
    const before = countTensors();
    const mask = attentionMask(new Int32Array(6), { batch: 1, queries: 1, keys: 1 });
    const selection = selectRows([0], 2);
    const table = rotaryTable(Int32Array.of(0), [1, 1], 2, 1e4);
    expect(countTensors()).toBe(before + 7);
    mask.dispose();
    selection.dispose();
    tf.dispose([table.cosine, table.sine]);
    expect(countTensors()).toBe(before);
  });

  it('a call that throws makes no tensor', () => {
    const before = countTensors();
    expect(() => attentionMask(Int32Array.of(0, 9, 0, 0, 0, 0), { batch: 1, queries: 1, keys: 1 })).toThrow();
    expect(() => selectRows([0, 0], 2)).toThrow();
    expect(() => rotaryTable(Int32Array.of(0), [1, 1], 3, 1e4)).toThrow();
    expect(countTensors()).toBe(before);
  });
});
