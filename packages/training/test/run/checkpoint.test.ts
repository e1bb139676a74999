import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../../tools/testing/small-disk.js';
import { loadLatestCheckpoint, saveCheckpoint } from '../../src/run/checkpoint.js';
import { checkpointOf } from './examples.js';

const disk = mountSmallDisk();
const top = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => {
  rmSync(top, { recursive: true });
  disk?.remove();
});

let folder: string;
let folders = 0;
beforeEach(() => {
  folder = join(top, String(folders++));
});

const fileOf = (step: number, name: string) => join(folder, `step-00000000${step}`, name);
function flipBit(file: string, byte: number): void {
  const bytes = readFileSync(file);
  bytes[byte]! ^= 1;
  writeFileSync(file, bytes);
}

describe('checkpoint', () => {
  it('loads what was saved, to the bit', () => {
    const odd = Float32Array.of(NaN, -0, Infinity, 1e-45, 0.1);
    const saved = { ...checkpointOf(3), tensors: new Map([['w', { shape: [5], data: odd }]]) };
    saveCheckpoint(folder, saved);
    const { warnings, ...loaded } = loadLatestCheckpoint(folder)!;
    expect(loaded).toEqual(saved);
    expect(Buffer.from(loaded.tensors.get('w')!.data.buffer)).toEqual(Buffer.from(odd.buffer));
    expect(warnings).toEqual([]);
  });

  it('gives undefined where there is none', () => {
    expect(loadLatestCheckpoint(folder)).toBeUndefined();
    mkdirSync(folder);
    expect(loadLatestCheckpoint(folder)).toBeUndefined();
  });

  it('keeps the newest two and drops newer steps, which were lost', () => {
    for (const step of [1, 2, 3, 9]) saveCheckpoint(folder, checkpointOf(step));
    expect(readdirSync(folder)).toEqual(['step-000000003', 'step-000000009']);
    saveCheckpoint(folder, checkpointOf(4));
    expect(readdirSync(folder)).toEqual(['step-000000003', 'step-000000004']);
    saveCheckpoint(folder, checkpointOf(4));
    expect(loadLatestCheckpoint(folder)!.step).toBe(4);
  });

  it.each(['tensors.safetensors', 'state.json', 'manifest.json'])(
    'passes over a newest with damaged %s',
    (name) => {
      for (const step of [1, 2]) saveCheckpoint(folder, checkpointOf(step));
      truncateSync(fileOf(2, name), 20);
      const cut = loadLatestCheckpoint(folder)!;
      expect(cut.step).toBe(1);
      expect(cut.warnings).toHaveLength(1);
      expect(cut.warnings[0]).toMatch(/^loadLatestCheckpoint: expected .*, got /);
      expect(cut.warnings[0]).toContain(fileOf(2, name));
      saveCheckpoint(folder, checkpointOf(2));
      flipBit(fileOf(2, name), 15);
      const flipped = loadLatestCheckpoint(folder)!;
      expect(flipped.step).toBe(1);
      expect(flipped.warnings[0]).toContain(fileOf(2, name));
    },
  );

  it('says what is wrong if every checkpoint is damaged', () => {
    for (const step of [1, 2]) saveCheckpoint(folder, checkpointOf(step));
    for (const step of [1, 2]) flipBit(fileOf(step, 'tensors.safetensors'), 5000);
    const file = fileOf(2, 'tensors.safetensors');
    expect(() => loadLatestCheckpoint(folder)).toThrow(
      /expected sha256 [0-9a-f]{64} of .*, got [0-9a-f]{64}/,
    );
    expect(() => loadLatestCheckpoint(folder)).toThrow(file);
  });

  it('ignores and clears what a killed writer left', () => {
    mkdirSync(join(folder, 'step-000000007.partial'), { recursive: true });
    expect(loadLatestCheckpoint(folder)).toBeUndefined();
    saveCheckpoint(folder, checkpointOf(7));
    expect(readdirSync(folder)).toEqual(['step-000000007']);
  });

  it('refuses a state that JSON would change', () => {
    const state = { best: Infinity };
    expect(() => saveCheckpoint(folder, { ...checkpointOf(1), state })).toThrow('got best = Infinity');
  });

  it.skipIf(!disk)('tells a full disk and keeps the older checkpoint', () => {
    saveCheckpoint(disk!.folder, checkpointOf(1));
    expect(() => saveCheckpoint(disk!.folder, checkpointOf(2, 300_000))).toThrow(
      /^writeFileAtomically: expected 12000\d\d bytes of free space in .*, got a full disk \(ENOSPC\)$/,
    );
    expect(readdirSync(disk!.folder)).toEqual(['step-000000001']);
    expect(loadLatestCheckpoint(disk!.folder)).toEqual({ ...checkpointOf(1), warnings: [] });
    saveCheckpoint(disk!.folder, checkpointOf(2));
  });
});
