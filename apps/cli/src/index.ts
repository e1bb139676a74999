export { EXIT } from './errors.js';
export { buildProgram, runCommandLine } from './program.js';
export type { Terminal } from './terminal.js';
