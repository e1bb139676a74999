import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../../tools/testing/small-disk.js';
import { sha256 } from '../../src/run/digest.js';
import type { LabelHeader } from '../../src/run/label-manifest.js';
import { openLabelStore } from '../../src/run/label-store.js';
import { LabelWriter } from '../../src/run/label-writer.js';
import { labelHeader, labelsOf } from './examples.js';

const disk = mountSmallDisk();
const top = mkdtempSync(join(tmpdir(), 'labels-'));
afterAll(() => {
  rmSync(top, { recursive: true });
  disk?.remove();
});

const header: LabelHeader = { ...labelHeader, count: 12 };
let folder: string;
let stores = 0;
beforeEach(() => {
  folder = join(top, String(stores++));
});

function writeStore(of: LabelHeader = header, chunks = [5, 0, 7], at = folder): void {
  const writer = new LabelWriter(at, of);
  for (const length of chunks) {
    writer.append(Array.from({ length }, (_, index) => labelsOf(writer.nextExample + index, of)));
  }
  writer.finish();
  writer.close();
}

describe('label store', () => {
  it.each([
    ['top-k, float16', header],
    ['top-k, float32', { ...header, precision: 'float32' as const }],
    ['full vocabulary', { ...header, k: 100 }],
    ['cut by line', { ...header, segmentation: 'line' as const }],
  ])('reads any example (%s)', (_, of) => {
    writeStore(of);
    const store = openLabelStore(folder, of);
    for (const example of [11, 0, 5, 4, 9]) expect(store.read(example)).toEqual(labelsOf(example, of));
    expect(store.header).toEqual(of);
    expect(store.latents).toBe(0 + 1 + 2 + 3 + 4 + 0 + 1 + 2 + 3 + 4 + 0 + 1);
    for (const example of [12, -1, 0.5]) {
      expect(() => store.read(example)).toThrow(`expected an example from 0 to 11, got ${example}`);
    }
    store.close();
  });

  it('gives equal bytes whatever the chunks', () => {
    writeStore();
    const other = join(top, 'other-chunks');
    writeStore(header, [1, 1, 1, 9], other);
    for (const name of ['alphas.bin', 'ids.bin', 'offsets.bin', 'labels.json']) {
      expect(readFileSync(join(other, name))).toEqual(readFileSync(join(folder, name)));
    }
  });

  it('keeps no ids of the full vocabulary', () => {
    writeStore({ ...header, k: 100 });
    expect(() => readFileSync(join(folder, 'ids.bin'))).toThrow('ENOENT');
  });

  it.each([
    [{ segmentation: 4 }, 'expected labels with segmentation (the rate r) 4 in FOLDER, got 2'],
    [{ k: 10 }, 'expected labels with k 10 in FOLDER, got 4'],
    [{ tokenizer: sha256('x') }, `with tokenizer ${sha256('x')} in FOLDER, got ${header.tokenizer}`],
    [{ checkpoint: sha256('x') }, `with checkpoint ${sha256('x')} in FOLDER, got ${header.checkpoint}`],
    [{ count: 13 }, 'with count 13 in FOLDER, got 12'],
    [{ temperature: 0.5 }, 'with temperature 0.5 in FOLDER, got 1'],
  ])('refuses labels that were made otherwise: %j', (expected, message) => {
    writeStore();
    expect(() => openLabelStore(folder, expected)).toThrow(message.replace('FOLDER', folder));
  });

  it.each(['alphas.bin', 'ids.bin', 'offsets.bin'])('finds %s cut short or changed', (name) => {
    writeStore();
    const file = join(folder, name);
    const whole = readFileSync(file);
    truncateSync(file, whole.length - 1);
    const cut = `openLabelStore: expected ${whole.length} bytes in ${file}, got ${whole.length - 1}: it was cut short`;
    expect(() => openLabelStore(folder, {})).toThrow(cut);
    expect(() => openLabelStore(folder, {}, 'sizes')).toThrow(cut);
    const flipped = Buffer.from(whole);
    flipped[9]! ^= 4;
    writeFileSync(file, flipped);
    const changed = `openLabelStore: expected sha256 ${sha256(whole)} of ${file}, got ${sha256(flipped)}`;
    expect(() => openLabelStore(folder, {})).toThrow(changed);
    rmSync(file);
    expect(() => openLabelStore(folder, {})).toThrow(
      `expected the file ${file} of ${whole.length} bytes, got none`,
    );
  });

  it('finds any flipped bit of the manifest', () => {
    writeStore();
    const file = join(folder, 'labels.json');
    const whole = readFileSync(file);
    const original = JSON.stringify(JSON.parse(whole.toString()));
    for (let bit = 0; bit < 8 * whole.length; bit += 5) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(file, flipped);
      let outcome = 'no error';
      try {
        openLabelStore(folder, {}).close();
        // Between the tokens, one kind of white space may have become another.
        if (JSON.stringify(JSON.parse(flipped.toString())) === original) continue;
      } catch (error) {
        outcome = (error as Error).message;
      }
      expect(outcome, `bit ${bit}`).toMatch(/^openLabelStore: expected .*, got /s);
    }
  });

  it('names a missing store', () => {
    const file = join(folder, 'labels.json');
    expect(() => openLabelStore(folder, {})).toThrow(`expected a JSON object in ${file}, got ENOENT`);
  });
});

describe('label writer', () => {
  it.each([
    [
      { alphas: new Float32Array(3), ids: new Uint32Array(3) },
      'expected [N, 4] probabilities in example 0, got 3',
    ],
    [{ alphas: new Float32Array(4) }, 'expected 4 ids in example 0, got none'],
    [{ alphas: new Float32Array(4), ids: new Uint32Array(3) }, 'expected 4 ids in example 0, got 3'],
    [
      { alphas: new Float32Array(4), ids: Uint32Array.of(0, 1, 2, 100) },
      'expected ids below 100 in example 0, got 100',
    ],
    [
      { alphas: Float32Array.of(1, 0, NaN, 0), ids: new Uint32Array(4) },
      'expected probabilities in example 0, got NaN',
    ],
    [
      { alphas: Float32Array.of(1, 0, -1, 0), ids: new Uint32Array(4) },
      'expected probabilities in example 0, got -1',
    ],
  ])('refuses wrong labels', (labels, message) => {
    const writer = new LabelWriter(folder, header);
    expect(() => writer.append([labels])).toThrow(`LabelWriter.append: ${message}`);
    expect(writer.nextExample).toBe(0);
    writer.close();
    writeStore(); // and the store is as usable as before
  });

  it('refuses an invalid header, such as r = 0', () => {
    const wrong = { ...header, segmentation: 0 };
    expect(() => new LabelWriter(folder, wrong)).toThrow(
      'LabelWriter: expected a valid segmentation in the header',
    );
    expect(() => new LabelWriter(folder, { ...header, k: 0 })).toThrow('expected a valid k in the header');
  });

  it('refuses too many, too few, and a store that is closed', () => {
    const writer = new LabelWriter(folder, header);
    const thirteen = Array.from({ length: 13 }, (_, example) => labelsOf(example));
    expect(() => writer.append(thirteen)).toThrow('LabelWriter.append: expected 12 examples, got 13');
    expect(() => writer.finish()).toThrow(`LabelWriter.finish: expected 12 examples in ${folder}, got 0`);
    writer.close();
    expect(() => writer.append([])).toThrow('LabelWriter: expected an open store');
  });

  it('goes on after the last complete chunk, and cuts off what came after it', () => {
    const writer = new LabelWriter(folder, header);
    writer.append([labelsOf(0), labelsOf(1)]);
    writer.close();
    appendFileSync(join(folder, 'alphas.bin'), 'half a chunk');
    appendFileSync(join(folder, 'offsets.bin'), 'x');
    writeStore(header, [10]);
    const store = openLabelStore(folder, header);
    expect(store.read(1)).toEqual(labelsOf(1));
    expect(store.read(11)).toEqual(labelsOf(11));
    store.close();
    const again = new LabelWriter(folder, header);
    expect(again.finished).toBe(true);
    again.close();
  });

  it('does not go on with labels of another r, nor with what was changed', () => {
    const writer = new LabelWriter(folder, header);
    writer.append([labelsOf(3)]);
    writer.close();
    expect(() => new LabelWriter(folder, { ...header, segmentation: 4 })).toThrow(
      'got another segmentation (2, not 4)',
    );
    const file = join(folder, 'ids.bin');
    const whole = readFileSync(file);
    const flipped = Buffer.from(whole);
    flipped[0]! ^= 1;
    writeFileSync(file, flipped);
    expect(() => new LabelWriter(folder, header)).toThrow(`expected sha256 ${sha256(whole)} of ${file}`);
    truncateSync(file, 1);
    expect(() => new LabelWriter(folder, header)).toThrow(
      `expected at least ${whole.length} bytes in ${file}, got 1`,
    );
  });

  it.skipIf(!disk)('tells a full disk; what is complete stays', () => {
    const onDisk = join(disk!.folder, 'labels');
    const of = { ...header, count: 2000, k: 64 };
    const chunk = (first: number) => Array.from({ length: 1000 }, (_, index) => labelsOf(first + index, of));
    const writer = new LabelWriter(onDisk, of);
    writer.append([labelsOf(0, of)]);
    writer.append(chunk(1));
    expect(() => writer.append(chunk(1001).slice(0, 999))).toThrow(
      /bytes of free space in .*, got a full disk \(ENOSPC\)/,
    );
    const again = new LabelWriter(onDisk, of);
    expect(again.nextExample).toBe(1001);
    again.close();
  });
});
