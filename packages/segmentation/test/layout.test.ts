import { describe, expect, it } from 'vitest';
import {
  chainLayout,
  decoderLayout,
  encoderLayout,
  labels,
  positions,
  roles,
  storageOrder,
  studentLayout,
  tokenIds,
} from '../src/index.js';

const sizes = { prompt: 2, think: 1, segments: [2, 2, 1], end: 1, answer: 2 };
const noSegments = { ...sizes, segments: [] };

function names(layout: ReturnType<typeof encoderLayout>): string {
  const letters = { prompt: 'P', think: 'T', segment: 'S', latent: 'Z', end: 'E', answer: 'A' };
  return layout.spans
    .map((span) => letters[span.role] + (span.index || '') + (span.branch ? `/${span.branch}` : ''))
    .join(' ');
}

describe('the four layouts', () => {
  it('encoder: a latent closes each segment and is a leaf; there is no answer', () => {
    expect(names(encoderLayout(sizes))).toBe('P T S1 Z1/1 S2 Z2/2 S3 Z3/3 E');
  });

  it('decoder: each segment but the first hangs off the latent before it', () => {
    expect(names(decoderLayout(sizes))).toBe('P T Z1 S2/1 Z2 S3/2 Z3 E A');
  });

  it('decoder, strict suffix: each latent but the last has its own copy of all that follows it', () => {
    expect(names(decoderLayout(sizes, { tails: 'strict-suffix' }))).toBe(
      'P T Z1 S2/1 S3/1 E/1 A/1 Z2 S3/2 E/2 A/2 Z3 E A',
    );
  });

  it('student: latents alone; chain: segments alone; either may have none', () => {
    expect(names(studentLayout(sizes))).toBe('P T Z1 Z2 Z3 E A');
    expect(names(chainLayout(sizes))).toBe('P T S1 S2 S3 E A');
    expect(names(studentLayout(noSegments))).toBe('P T E A');
    expect(names(chainLayout(noSegments))).toBe('P T E A');
  });

  it('leave empty parts out, so that every span has a row', () => {
    expect(names(decoderLayout({ prompt: 0, think: 0, segments: [3], end: 0, answer: 0 }))).toBe('Z1');
  });

  it('give spans in sequence order without gaps', () => {
    for (const layout of [encoderLayout(sizes), decoderLayout(sizes, { tails: 'strict-suffix' })]) {
      const end = layout.spans.reduce((row, span) => {
        expect(span.start).toBe(row);
        return row + span.length;
      }, 0);
      expect(layout.length).toBe(end);
      expect(roles(layout)).toHaveLength(end);
    }
  });
});

describe('positions', () => {
  // The example in the docstring of the authors' position function: [P0,P1,t,L1,x,x,L2,x,x,L3,/t,A1,A2].
  const theirs = decoderLayout({ prompt: 2, think: 1, segments: [2, 2, 2], end: 1, answer: 2 });

  it('dual: a branch counts on from its latent, the backbone as if there were no branch', () => {
    expect([...positions(theirs)]).toEqual([0, 1, 2, 3, 4, 5, 4, 5, 6, 5, 6, 7, 8]);
  });

  it('single: rows are counted', () => {
    expect([...positions(theirs, 'single')]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('dual, strict suffix: a tail copy counts on from its latent to its end', () => {
    const layout = decoderLayout(sizes, { tails: 'strict-suffix' });
    expect([...positions(layout)]).toEqual([
      ...[0, 1, 2],
      ...[3, 4, 5, 6, 7, 8, 9], // Z1, then S2 S2 S3 E A A
      ...[4, 5, 6, 7, 8], // Z2, then S3 E A A
      ...[5, 6, 7, 8], // Z3, E A A
    ]);
  });

  it('dual puts the decoder’s backbone where the student has it', () => {
    const layout = decoderLayout(sizes);
    const student = studentLayout(sizes);
    const dual = positions(layout);
    const backbone = [...storageOrder(layout).slice(0, student.length)].map((row) => dual[row]);
    expect(backbone).toEqual([...positions(student)]);
  });
});

describe('labels', () => {
  it('mark the rows whose own token is a target', () => {
    expect(labels(encoderLayout(sizes)).join('')).toBe('0'.repeat(12));
    expect(labels(decoderLayout(sizes)).join('')).toBe('000' + '0' + '11' + '0' + '1' + '0' + '111');
    expect(labels(studentLayout(sizes)).join('')).toBe('000' + '000' + '111');
    expect(labels(chainLayout(sizes)).join('')).toBe('000' + '11111' + '111');
  });

  it('cover every row of a tail copy', () => {
    expect(labels(decoderLayout(sizes, { tails: 'strict-suffix' })).join('')).toBe(
      '000' + '0111111' + '01111' + '0111',
    );
  });
});

describe('storageOrder', () => {
  it('puts the backbone first and the branches after it', () => {
    expect([...storageOrder(encoderLayout(sizes))]).toEqual([0, 1, 2, 3, 4, 6, 7, 9, 11, 5, 8, 10]);
    expect([...storageOrder(decoderLayout(sizes))]).toEqual([0, 1, 2, 3, 6, 8, 9, 10, 11, 4, 5, 7]);
  });

  it('changes nothing where there is no branch', () => {
    expect([...storageOrder(studentLayout(sizes))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('tokenIds', () => {
  const example = {
    prompt: [11, 12],
    think: [1],
    segments: [[21, 22], [23, 24], [25]],
    end: [2],
    answer: [31, 32],
  };

  it('repeats the tail of a strict-suffix layout', () => {
    const layout = decoderLayout(sizes, { tails: 'strict-suffix' });
    expect([...tokenIds(layout, example, 9)]).toEqual([
      ...[11, 12, 1],
      ...[9, 23, 24, 25, 2, 31, 32],
      ...[9, 25, 2, 31, 32],
      ...[9, 2, 31, 32],
    ]);
  });

  it('refuses an example of other sizes', () => {
    expect(() => tokenIds(chainLayout(sizes), { ...example, answer: [31] }, 9)).toThrow(
      'tokenIds: expected an example of prompt 2, think 1, segments [2, 2, 1], end 1, answer 2, ' +
        'got prompt 2, think 1, segments [2, 2, 1], end 1, answer 1',
    );
  });
});

describe('sizes that make no layout', () => {
  it.each([
    ['no segment', () => encoderLayout(noSegments), 'encoderLayout: expected at least one segment, got none'],
    ['no segment', () => decoderLayout(noSegments), 'decoderLayout: expected at least one segment, got none'],
    [
      'an empty segment',
      () => chainLayout({ ...sizes, segments: [2, 0] }),
      'chainLayout: expected segment 2 to have at least 1 token, got 0',
    ],
    [
      'a negative count',
      () => studentLayout({ ...sizes, prompt: -1 }),
      'studentLayout: expected prompt to be a whole number, got -1',
    ],
    [
      'half a row',
      () => encoderLayout({ ...sizes, end: 0.5 }),
      'encoderLayout: expected end to be a whole number, got 0.5',
    ],
    [
      'a first row that nothing can predict',
      () => chainLayout({ ...sizes, prompt: 0, think: 0 }),
      'chainLayout: expected a row before the first target, got prompt 0 and think 0',
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message));
});
