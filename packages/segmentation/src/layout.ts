/** What a span's rows hold. */
export type Role = 'prompt' | 'think' | 'segment' | 'latent' | 'end' | 'answer';

/** Which of the four sequences a layout arranges. */
export type LayoutKind = 'encoder' | 'decoder' | 'student' | 'chain';

/** What hangs off a decoder latent: the segment that follows it, or everything that follows it. */
export type Tails = 'next-segment' | 'strict-suffix';

/** Row counts of the parts of one example; `segments` holds the length of each segment of the chain. */
export interface LayoutSizes {
  readonly prompt: number;
  readonly think: number;
  readonly segments: readonly number[];
  readonly end: number;
  readonly answer: number;
}

/** A run of rows of one role; never empty. */
export interface Span {
  readonly role: Role;
  /** First row, in sequence order. */
  readonly start: number;
  /** Number of rows, at least 1. */
  readonly length: number;
  /** Segment or latent number 1..N; 0 for the other roles. */
  readonly index: number;
  /** 0 on the backbone; i on a branch that hangs off latent i (encoder: the leaf that is latent i). */
  readonly branch: number;
}

/** One example as spans in sequence order; ids, labels, positions and masks are functions of it. */
export interface Layout {
  readonly kind: LayoutKind;
  readonly sizes: LayoutSizes;
  /** Contiguous: each span starts where the one before it ends. */
  readonly spans: readonly Span[];
  /** Rows T. */
  readonly length: number;
  /** Latents N. */
  readonly latentCount: number;
  /** Decoder layouts only. */
  readonly tails?: Tails;
}

/** A span before it has a place: role, length, index, branch. */
type Part = readonly [role: Role, length: number, index?: number, branch?: number];

/**
 * Encoder input `P T [S1 Z1 S2 Z2 ... SN ZN] E`: a compress row closes each segment (arXiv 2510.15522, LTIM).
 *
 * @throws if a size is not a whole number, a segment is empty, or there is no segment.
 */
export function encoderLayout(sizes: LayoutSizes): Layout {
  requireSegments('encoderLayout', sizes);
  const compressed = sizes.segments.flatMap((length, i): Part[] => [
    ['segment', length, i + 1],
    ['latent', 1, i + 1, i + 1],
  ]);
  return place('encoderLayout', 'encoder', sizes, [...head(sizes), ...compressed, ['end', sizes.end]]);
}

/**
 * Decoder input `P T Z1 S2 Z2 ... SN ZN E A` (arXiv 2510.15522, LTSuM); S1 is never restored, as no latent precedes it.
 *
 * With `tails: 'strict-suffix'` every latent is followed by its own copy of all that it must restore,
 * `P T Z1 [S2..SN E A] Z2 [S3..SN E A] ... ZN E A`.
 *
 * @throws if a size is not a whole number, a segment is empty, or there is no segment.
 */
export function decoderLayout(sizes: LayoutSizes, options: { readonly tails?: Tails } = {}): Layout {
  requireSegments('decoderLayout', sizes);
  const tails = options.tails ?? 'next-segment';
  const count = sizes.segments.length;
  const restored = sizes.segments.flatMap((_, i): Part[] => {
    const latent = i + 1;
    const last = tails === 'next-segment' ? latent + 1 : count;
    const segments = sizes.segments
      .slice(latent, last)
      .map((length, j): Part => ['segment', length, latent + 1 + j, latent]);
    const copiesEnding = tails === 'strict-suffix' && latent < count;
    return [['latent', 1, latent], ...segments, ...(copiesEnding ? ending(sizes, latent) : [])];
  });
  const layout = place('decoderLayout', 'decoder', sizes, [...head(sizes), ...restored, ...ending(sizes)]);
  return { ...layout, tails };
}

/**
 * Student input `P T Z1..ZN E A`, which is the decoder's backbone; with no segments `P T E A`.
 *
 * @throws if a size is not a whole number, a segment is empty, or the first row would be a target.
 */
export function studentLayout(sizes: LayoutSizes): Layout {
  const latents = sizes.segments.map((_, i): Part => ['latent', 1, i + 1]);
  return place('studentLayout', 'student', sizes, [...head(sizes), ...latents, ...ending(sizes)]);
}

/**
 * Written chain `P T S1..SN E A` for CoT-SFT; with no segments `P T E A`, No-CoT.
 *
 * @throws if a size is not a whole number, a segment is empty, or the first row would be a target.
 */
export function chainLayout(sizes: LayoutSizes): Layout {
  const segments = sizes.segments.map((length, i): Part => ['segment', length, i + 1]);
  return place('chainLayout', 'chain', sizes, [...head(sizes), ...segments, ...ending(sizes)]);
}

function head(sizes: LayoutSizes): Part[] {
  return [
    ['prompt', sizes.prompt],
    ['think', sizes.think],
  ];
}

function ending(sizes: LayoutSizes, branch = 0): Part[] {
  return [
    ['end', sizes.end, 0, branch],
    ['answer', sizes.answer, 0, branch],
  ];
}

function place(caller: string, kind: LayoutKind, sizes: LayoutSizes, parts: readonly Part[]): Layout {
  requireCounts(caller, sizes);
  const spans: Span[] = [];
  let start = 0;
  for (const [role, length, index = 0, branch = 0] of parts) {
    if (length > 0) spans.push({ role, start, length, index, branch });
    start += length;
  }
  if (spans[0] && isTarget(kind, spans[0])) {
    throw new Error(`${caller}: expected a row before the first target, got prompt 0 and think 0`);
  }
  const latentCount = spans.filter((span) => span.role === 'latent').length;
  return { kind, sizes, spans, length: start, latentCount };
}

/** Whether the span's own tokens are targets, each predicted by the sequence row before it. */
export function isTarget(kind: LayoutKind, span: Span): boolean {
  return kind !== 'encoder' && (span.role === 'segment' || span.role === 'end' || span.role === 'answer');
}

function requireSegments(caller: string, sizes: LayoutSizes): void {
  if (sizes.segments.length === 0) throw new Error(`${caller}: expected at least one segment, got none`);
}

function requireCounts(caller: string, sizes: LayoutSizes): void {
  for (const part of ['prompt', 'think', 'end', 'answer'] as const) {
    if (!(Number.isInteger(sizes[part]) && sizes[part] >= 0)) {
      throw new Error(`${caller}: expected ${part} to be a whole number, got ${sizes[part]}`);
    }
  }
  sizes.segments.forEach((length, i) => {
    if (!(Number.isInteger(length) && length >= 1)) {
      throw new Error(`${caller}: expected segment ${i + 1} to have at least 1 token, got ${length}`);
    }
  });
}
