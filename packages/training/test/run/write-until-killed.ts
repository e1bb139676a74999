import { saveCheckpoint } from '../../src/run/checkpoint.js';
import { LabelWriter } from '../../src/run/label-writer.js';
import { openRun } from '../../src/run/run-folder.js';
import { checkpointOf, labelHeader, labelsOf, recipe } from './examples.js';

// Run by kill.test.ts in a process of its own: writes without end, one line to stdout after each write.
const [mode, folder, first] = process.argv.slice(2) as [string, string, string];
const tell = (count: number): boolean => process.stdout.write(`${count}\n`);

if (mode === 'events') {
  const run = openRun(folder, recipe);
  for (let step = Number(first); ; step++) {
    run.events.append({ type: 'step', stage: 'cot', step, lossNats: 1 / (step + 1), note: 'x'.repeat(1000) });
    tell(step);
  }
} else if (mode === 'checkpoints') {
  for (let step = Number(first); ; step++) {
    saveCheckpoint(folder, checkpointOf(step));
    tell(step);
  }
} else if (mode === 'labels') {
  const writer = new LabelWriter(folder, labelHeader);
  for (;;) {
    writer.append([0, 1, 2].map((offset) => labelsOf(writer.nextExample + offset)));
    tell(writer.nextExample);
  }
}
