export {
  type Answered,
  type Answerer,
  answerQuestions,
} from './evaluation/answer-questions.js';
export { type AnswerStage, answererOf } from './evaluation/answerer.js';
export {
  type EvaluationReport,
  evaluateAnswerer,
  type LoadedAnswerer,
  loadAnswerer,
} from './evaluation/evaluate-stage.js';
export { type ArmReport, measureFaithfulness } from './evaluation/measure-faithfulness.js';
export {
  readRunRecipe,
  type TrainedStage,
  trainedStage,
  trainedWeights,
} from './evaluation/trained-stage.js';
export { CostMeter, type StageCosts } from './loop/cost-meter.js';
export { exampleOrder } from './loop/example-order.js';
export {
  type LoopContext,
  type PreparedStep,
  type StageWork,
  type StepProgress,
  StoppedError,
  trainStage,
  type Validation,
} from './loop/train-stage.js';
export { type LearningRateSettings, learningRateAt } from './optimiser/learning-rate.js';
export {
  type Loss,
  type OptimiserSettings,
  type StepReport,
  TrainableVector,
} from './optimiser/trainable-vector.js';
export type { RunObserver } from './pipeline/active-run.js';
export { inTrainedForm, loadRunData, type RunData, readEvaluationFile } from './pipeline/run-data.js';
export { runRecipe } from './pipeline/run-recipe.js';
export { stagesOf } from './pipeline/stage-files.js';
export { nearest } from './recipe/nearest.js';
export { PRESETS, type Preset } from './recipe/presets.js';
export {
  parseRecipe,
  type Recipe,
  type RecipeInput,
  recipeJsonSchema,
} from './recipe/recipe.js';
export { TRAINING_STAGES, type TrainingStage } from './recipe/stage-settings.js';
export {
  type Checkpoint,
  type LoadedCheckpoint,
  loadLatestCheckpoint,
  saveCheckpoint,
} from './run/checkpoint.js';
export { canonicalJson, digestFile, type FileDigest, sha256, sha256OfJson } from './run/digest.js';
export { EventLog, type RunEvent, readEvents, withoutLostSteps } from './run/event-log.js';
export { InputError } from './run/input-error.js';
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
export { chainStage } from './stages/chain-stage.js';
export { type DeviceBatch, deviceBatch } from './stages/device-batch.js';
export { latentVectors, softLabels } from './stages/encode-examples.js';
export { encoderBatch, latentHead } from './stages/encoder-batch.js';
export { batchStates } from './stages/forward-batch.js';
export { freshModelConfig, mixtureSettings, type StageContext } from './stages/stage-context.js';
export {
  chainLoss,
  encodeLatents,
  type LatentHead,
  type Readout,
  type StudentLossSettings,
  stageOneLoss,
  studentLoss,
} from './stages/stage-losses.js';
export { type StageOnePhase, stageOne } from './stages/stage-one.js';
export type { StageOneModels } from './stages/stage-one-models.js';
export { encodingWork } from './stages/step-flops.js';
export { type LabelSource, studentStage } from './stages/student-stage.js';
