export {
  type Checkpoint,
  type LoadedCheckpoint,
  loadLatestCheckpoint,
  saveCheckpoint,
} from './run/checkpoint.js';
export { canonicalJson, digestFile, type FileDigest, sha256, sha256OfJson } from './run/digest.js';
export { EventLog, type RunEvent, readEvents, withoutLostSteps } from './run/event-log.js';
export type { LabelHeader } from './run/label-manifest.js';
export { LabelStore, openLabelStore } from './run/label-store.js';
export { type ExampleLabels, LabelWriter } from './run/label-writer.js';
export { type Manifest, readManifest, verifyManifest, writeManifest } from './run/manifest.js';
export { EVENTS_FILE, openRun, RECIPE_FILE, type Run, readRecipe } from './run/run-folder.js';
export {
  checkpointFolder,
  finishStage,
  planStage,
  type StageInputs,
  type StagePlan,
  type StageStatus,
  stageFolder,
  stageOutputs,
  stageStatus,
  startStage,
} from './run/stage.js';
