import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { readRecordFile } from '../src/index.js';
import { parquetRows } from '../src/readers/containers/parquet-rows.js';

const fixtures = fileURLToPath(new URL('./fixtures/parquet/', import.meta.url));
const files = readdirSync(fixtures).filter((name) => name.endsWith('.parquet'));
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(fixtures, name)));
const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('Parquet files of pyarrow', () => {
  it.each(files)('%s', async (name) => {
    const { records, description } = await readRecordFile(join(fixtures, name));
    expect(records).toEqual([
      { question: '2 + 3 ?', steps: ['2 + 3 = 5', 'so 5'], answer: '5' },
      { question: 'Ist 4 größer als 5?', steps: ['4 < 5'], answer: 'nein' },
      { question: '7 - 7 ?', steps: [], answer: '0' },
    ]);
    expect(description).toMatchObject({ container: 'parquet', format: 'jsonl', rows: 3, emptyChains: 1 });
  });
});

describe('Parquet', () => {
  const write = (name: string, bytes: Uint8Array) => {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    return file;
  };
  const column = (name: string, data: unknown[]) => ({ name, data });

  it('is told from its content, and holds any data set', async () => {
    const columnData = [
      column('Body', ['b', 'b']),
      column('Question', ['q', 'r']),
      column('Equation', ['( 1.0 + 1.0 )', '( 1.0 + 2.0 )']),
      column('Answer', [2, 3]),
    ];
    const file = write('no-extension', new Uint8Array(parquetWriteBuffer({ columnData })));
    const { records, description } = await readRecordFile(file);
    expect(records[1]).toEqual({ question: 'b r', steps: ['<<1+2=3>>'], answer: '3' });
    expect(description).toMatchObject({ container: 'parquet', format: 'svamp' });
  });

  it('names the row of a field that is wrong', async () => {
    const columnData = [column('input', ['q', '']), column('target', [1n, 2n])];
    const file = write('empty.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    await expect(readRecordFile(file)).rejects.toThrow(
      /^readRecords: expected field "input" as a text that is not empty on row 2 of .*empty\.parquet, got ""$/,
    );
  });

  it('refuses a text of 10 MB in bounded words', async () => {
    const columnData = [column('input', ['x'.repeat(10 * 2 ** 20)]), column('target', [1])];
    const file = write('long.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
    await expect(readRecordFile(file)).rejects.toThrow(/at most 1048576 characters a row on row 1 of/);
  });
});

describe('damaged Parquet files', () => {
  const good = bytesOf('none.parquet');
  const changed = (place: number, ...values: number[]) => {
    const bytes = good.slice();
    bytes.set(values, place < 0 ? bytes.length + place : place);
    return bytes;
  };

  it.each([
    ['nothing', new Uint8Array(0), 'expected a Parquet file on the footer of a.parquet, got 0 bytes'],
    ['the magic alone', good.slice(0, 4), 'got 4 bytes'],
    ['another start', changed(0, 0), 'got no "PAR1" at its start'],
    ['a file cut short', good.slice(0, -9), 'got no "PAR1" at its end (cut short?)'],
    [
      'a footer longer than the file',
      changed(-8, 0xff, 0xff, 0xff, 0x7f),
      'got a footer of 2147483647 bytes in a file',
    ],
    [
      'a footer of nothing',
      changed(-8, 0, 0, 0, 0),
      'expected a Parquet file that decodes on the pages of a.parquet',
    ],
    ['a footer of ones', good.slice().fill(0xff, 900, -8), 'that decodes'],
    ['pages of zeros', good.slice().fill(0, 4, 700), 'that decodes'],
  ])('%s', async (_name, bytes, message) => {
    await expect(parquetRows(bytes, 'a.parquet')).rejects.toThrow(message);
  });

  it('a run length that never ends is stopped', async () => {
    const bytes = bytesOf('pages-v2.parquet');
    bytes[286] = 0xff;
    const limits = { heapMebibytes: 256, timeMs: 1000 };
    await expect(parquetRows(bytes, 'a.parquet', limits)).rejects.toThrow(
      /that decodes on the pages of a\.parquet, got (no end after 1 s|more than 256 MiB of rows)/,
    );
  });

  it('any byte that changed gives rows or one short sentence', async () => {
    for (const name of ['none.parquet', 'pages-v2.parquet']) {
      const whole = bytesOf(name);
      for (let i = 0; i < 25; i += 1) {
        const bytes = whole.slice();
        bytes[4 + Math.floor((i * (bytes.length - 12)) / 25)]! ^= 0x55;
        const outcome = await parquetRows(bytes, 'a.parquet', { heapMebibytes: 256, timeMs: 1500 }).then(
          (rows) => `${rows.length} rows`,
          (error: Error) => error.message,
        );
        expect(outcome.length).toBeLessThan(300);
        expect(outcome).toMatch(/^\d+ rows$|^readRecords: expected a Parquet file/);
      }
    }
  });
});
