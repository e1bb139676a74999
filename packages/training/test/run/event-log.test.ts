import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk } from '../../../../tools/testing/small-disk.js';
import { EventLog, readEvents, withoutLostSteps } from '../../src/run/event-log.js';

const disk = mountSmallDisk();
const folder = mkdtempSync(join(tmpdir(), 'events-'));
const file = join(folder, 'events.jsonl');
beforeEach(() => rmSync(file, { force: true }));
afterAll(() => {
  rmSync(folder, { recursive: true });
  disk?.remove();
});

const step = (number: number, stage = 'cot') => ({ type: 'step', stage, step: number, lossNats: number / 3 });

function write(...events: ReturnType<typeof step>[]): void {
  const log = new EventLog(file);
  for (const event of events) log.append(event);
  log.sync();
  log.close();
}

describe('event log', () => {
  it('appends over several openings', () => {
    write(step(1), step(2));
    write(step(3));
    expect(readEvents(file)).toEqual([step(1), step(2), step(3)]);
  });

  it('loses only the last line, wherever it is cut, and goes on', () => {
    write(step(1), step(2));
    const whole = readFileSync(file);
    const firstLine = whole.indexOf('\n') + 1;
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const kept = length >= firstLine ? [step(1)] : [];
      expect(readEvents(file)).toEqual(kept);
      write(step(9));
      expect(readEvents(file)).toEqual([...kept, step(9)]);
    }
  });

  it('cuts off a torn line that is longer than it reads at once', () => {
    write(step(1));
    appendFileSync(file, 'x'.repeat(200_000));
    write(step(2));
    expect(readEvents(file)).toEqual([step(1), step(2)]);
  });

  it('names the line that is no event', () => {
    writeFileSync(file, `${JSON.stringify(step(1))}\n{"step":1}\n`);
    expect(() => readEvents(file)).toThrow(
      `readEvents: expected an event on line 2 of ${file}, got {"step":1}`,
    );
    expect(() => readEvents(join(folder, 'none'))).toThrow('got ENOENT');
  });

  it('refuses a loss that is NaN', () => {
    const log = new EventLog(file);
    expect(() => log.append({ type: 'step', step: 4, lossNats: NaN })).toThrow('in lossNats, got NaN');
    log.close();
    expect(readEvents(file)).toEqual([]);
  });

  it('leaves out the steps that a resume undid, in its stage only', () => {
    const resume = { type: 'resume', stage: 'cot', step: 2 };
    const events = [step(3, 'encoder'), step(1), step(2), step(3), resume, step(3), step(4)];
    expect(withoutLostSteps(events)).toEqual([
      step(3, 'encoder'),
      step(1),
      step(2),
      resume,
      step(3),
      step(4),
    ]);
  });

  it.skipIf(!disk)('tells a full disk and ends with the event before', () => {
    const onDisk = join(disk!.folder, 'events.jsonl');
    const filler = join(disk!.folder, 'filler');
    const log = new EventLog(onDisk);
    log.append(step(1));
    for (let size = 1 << 19; size >= 1; size >>= 1) {
      try {
        appendFileSync(filler, Buffer.alloc(size));
      } catch {
        // as full as it gets
      }
    }
    const long = { type: 'note', text: 'x'.repeat(9000) };
    expect(() => log.append(long)).toThrow(
      `EventLog.append: expected 9026 bytes of free space in ${disk!.folder}, got a full disk (ENOSPC)`,
    );
    expect(readEvents(onDisk)).toEqual([step(1)]);
    rmSync(filler);
    log.append(long);
    log.close();
    expect(readEvents(onDisk)).toEqual([step(1), long]);
  });
});
