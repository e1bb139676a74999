/** The one build of every package: ESM for Node >= 20, declarations beside it. */
export const library = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  // they take most of a build's time, and only a published package needs them
  dts: !process.env.BUILD_WITHOUT_TYPES,
  sourcemap: true,
  clean: true,
};
