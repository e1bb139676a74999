import { decoderLayout, encoderLayout, studentLayout } from '@latent-sft/segmentation';
import { describe, expect, it } from 'vitest';
import { denseMask, drawSvg, drawText } from '../src/index.js';

const sizes = { prompt: 2, think: 1, segments: [1, 2], end: 1, answer: 1 };

describe('drawText', () => {
  it('draws a line a query and a column a key', () => {
    expect(drawText(encoderLayout(sizes), 'ltim')).toBe(
      [
        '     P1 P2 T S1 Z1 S2.1 S2.2 Z2 E',
        'P1   ■  ·  · ·  ·  ·    ·    ·  ·',
        'P2   ■  ■  · ·  ·  ·    ·    ·  ·',
        'T    ■  ■  ■ ·  ·  ·    ·    ·  ·',
        'S1   ■  ■  ■ ■  ·  ·    ·    ·  ·',
        'Z1   ■  ■  ■ ■  ■  ·    ·    ·  ·',
        'S2.1 ■  ■  ■ ■  ·  ■    ·    ·  ·',
        'S2.2 ■  ■  ■ ■  ·  ■    ■    ·  ·',
        'Z2   ■  ■  ■ ■  ·  ■    ■    ■  ·',
        'E    ■  ■  ■ ■  ·  ■    ■    ·  ■',
        '',
      ].join('\n'),
    );
  });

  it('tells the rows of a tail copy by the latent that it hangs off', () => {
    const drawing = drawText(decoderLayout(sizes, { tails: 'strict-suffix' }), 'ltsum');
    expect(drawing.split('\n')[0]!.trim()).toBe('P1 P2 T Z1 1:S2.1 1:S2.2 1:E 1:A Z2 E A');
  });

  it('draws the variants', () => {
    const draw = (segmentContext: 'latent+prompt' | 'latent+bos'): string | undefined =>
      drawText(decoderLayout(sizes), 'ltsum', { segmentContext })
        .split('\n')
        .find((line) => line.startsWith('S2.1'));
    expect(draw('latent+prompt')).toBe('S2.1 ■  ■  · ■  ■    ·    ·  · ·');
    expect(draw('latent+bos')).toBe('S2.1 ■  ·  · ■  ■    ·    ·  · ·');
  });
});

describe('drawSvg', () => {
  const layout = decoderLayout(sizes);
  const svg = drawSvg(layout, 'ltsum');
  const ones = denseMask(layout, 'ltsum').reduce((sum, cell) => sum + cell, 0);

  it('draws a square a pair, filled where the row reads the key', () => {
    const legend = 6;
    const background = 1;
    expect(svg.match(/<rect /g)).toHaveLength(layout.length ** 2 + legend + background);
    expect(svg.match(/fill="#f1f1f1"/g)).toHaveLength(layout.length ** 2 - ones);
    expect(svg).toContain(`<title>LTSuM, decoder: ${ones} of ${layout.length ** 2} pairs</title>`);
  });

  it('stands alone: one root, no reference to anything outside', () => {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*>[\s\S]*<\/svg>\n$/);
    expect(svg).not.toMatch(/href|url\(|<style|<script/);
  });

  it('names only the roles that are there', () => {
    expect(drawSvg(studentLayout(sizes), 'causal')).not.toContain('>segment<');
  });
});
