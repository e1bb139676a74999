export type { Agreement } from './measure/agreement.js';
export type { Load, Machine } from './measure/machine.js';
export type { Summary } from './measure/statistics.js';
export { type BenchOptions, checkOptions, suitesNamed } from './options.js';
export { caseTable, reportHeading, voidSentence } from './report/table.js';
export type { BenchReport, CaseResult, PeerResult } from './results.js';
export { type BenchObserver, runBench } from './run-bench.js';
export { SHAPES, type ShapeName } from './shapes/shape.js';
export { PEERS, type PeerName, SUITES, type SuiteName } from './suites/suite.js';
