/** The one build of every package: ESM for Node >= 20, declarations beside it. */
export const library = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  dts: true,
  sourcemap: true,
  clean: true,
};
