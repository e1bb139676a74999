import { reachability, symboliseReachability } from '@latent-sft/data';
import { expect, it } from 'vitest';
import { namer, readSpokenQuestion } from '../src/symbol-names.js';

it('symbols of a graph question get their names back', () => {
  for (const record of reachability({}).generate(20, 1)) {
    const spoken = readSpokenQuestion(record.question)!;
    const asked = { ...record, steps: [], answer: spoken.possibleAnswer };
    const question = symboliseReachability(asked, 7).question;
    const whole = symboliseReachability(record, 7);
    expect(question).toBe(whole.question);
    const name = namer(spoken.names, question);
    const steps = record.steps.map((step) => step.match(/\w+(?= is )|\w+(?=\.)/g)!.join(' '));
    expect(whole.steps.map(name)).toEqual(steps);
    expect(record.answer).toContain(` ${name(whole.answer)}.`);
    expect(name('</think> ?')).toBe('</think> ?');
  }
});

it('another question is none of them', () => {
  expect(readSpokenQuestion('3 +4 *7 ?')).toBeNull();
});
