import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../tools/testing/small-disk.js';
import { writeFileAtomically, writeSafetensors } from '../src/index.js';

const disk = mountSmallDisk();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'atomic-file-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  disk?.remove();
});

describe('writeFileAtomically', () => {
  it('replaces the file and what a killed writer left', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'old');
    writeFileSync(`${file}.partial`, 'left by a killed writer');
    writeFileAtomically(file, [Buffer.from('ne'), Buffer.from('w')]);
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('names a folder that is not there', () => {
    const file = join(folder, 'none', 'file');
    const message = `writeFileAtomically: expected to write 1 bytes to ${file}, got ENOENT`;
    expect(() => writeFileAtomically(file, [Buffer.of(1)])).toThrow(message);
  });

  it.skipIf(!disk)('tells a full disk, keeps the old file and leaves nothing else', () => {
    const file = join(disk!.folder, 'model.safetensors');
    const tensors = (size: number) =>
      new Map([['w', { shape: [size], data: new Float32Array(size).fill(1) }]]);
    writeSafetensors(file, tensors(1000));
    const before = readFileSync(file);
    expect(() => writeSafetensors(file, tensors(500_000))).toThrow(
      new RegExp(
        `: expected 20000\\d\\d bytes of free space in ${disk!.folder}, got a full disk \\(ENOSPC\\)$`,
      ),
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(disk!.folder)).toEqual(['model.safetensors']);
    writeSafetensors(file, tensors(1001)); // and the room is there again
  });
});
