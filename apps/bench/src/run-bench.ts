import { join } from 'node:path';
import { cacheFolder } from '@latent-sft/tensorflow';
import { availablePeers, installers } from './available-peers.js';
import { expectedBytes, sideBySide } from './measure/expected-memory.js';
import { expectedSeconds, inMinutes } from './measure/expected-time.js';
import { machine } from './measure/machine.js';
import { MEASURED_SECONDS, WARM_SECONDS } from './measure/rounds.js';
import { type BenchOptions, checkOptions } from './options.js';
import { peerCommand } from './peer-commands.js';
import { reportTargets } from './report/targets.js';
import type { BenchReport, CaseResult } from './results.js';
import { runGroup } from './run-group.js';
import { shapeOf } from './shapes/shape.js';
import { DECODING_BATCHES, decodingSuite, plainDecodingSuite } from './suites/decoding-suite.js';
import { kernelSuite } from './suites/kernel-suite.js';
import { LABELLED_ROWS, labelsSuite } from './suites/labels-suite.js';
import { SCALING_LAYERS, scalingGroup, scalingPoints } from './suites/scaling-suite.js';
import type { CaseGroup } from './suites/suite.js';
import { trainingSuite } from './suites/training-suites.js';
import { kernelInputs } from './workload/kernel-inputs.js';
import { makeVariant, makeWork } from './workload/make-work.js';
import { readWork, type WorkDescription } from './workload/work-file.js';

/** Told what goes on. */
export interface BenchObserver {
  onProgress?(sentence: string): void;
  /** A case is done; the report holds all that are. */
  onCase?(result: CaseResult, soFar: BenchReport): void;
}

/**
 * Measures suites one after another, ourselves and the peers in turns on the same work, cores and threads. A peer that
 * cannot be installed, or fails, is left out, and its cases say why.
 *
 * @throws if an option is wrong.
 * @throws if our own process fails.
 */
export async function runBench(options: BenchOptions, observer: BenchObserver = {}): Promise<BenchReport> {
  checkOptions(options);
  const startedAt = new Date().toISOString();
  const cache = join(cacheFolder(), 'bench');
  const onProgress = (sentence: string) => observer.onProgress?.(sentence);
  const cases: CaseResult[] = [];
  const groups = (await groupsOf(options, cache, onProgress)).map((group) => ({
    ...group,
    peers: group.peers.filter((name, i) => i === 0 || (options.peers?.includes(name) ?? true)),
  }));
  const often = {
    warmUp: { rounds: options.warmUps, seconds: WARM_SECONDS },
    measured: { rounds: options.rounds, seconds: MEASURED_SECONDS },
  };
  onProgress(
    `expected to take about ${inMinutes(expectedSeconds(groups, { ...often, threads: options.threads }))}, installations apart: ` +
      `cases: ${groups.flatMap(({ cases }) => cases).length}, of ${options.rounds} rounds each, short ones of more`,
  );
  const install = installers(cache, onProgress);
  for (const group of groups) {
    const { peers, skipped, programs } = await availablePeers(group, group.peers, install);
    for (const { peer, reason } of skipped) onProgress(`${peer}: ${reason}`);
    const results = await runGroup(
      { ...group, peers, skipped: [...(group.skipped ?? []), ...skipped] },
      {
        ...options,
        ...often,
        command: (peer) => peerCommand(peer, programs, options.threads),
        onProgress,
      },
    );
    cases.push(...results);
    for (const result of results) observer.onCase?.(result, reportOf(cases, options, startedAt, false));
  }
  return reportOf(cases, options, startedAt, true);
}

function reportOf(
  cases: readonly CaseResult[],
  options: BenchOptions,
  startedAt: string,
  finished: boolean,
): BenchReport {
  const { threads, warmUps, ...settings } = options;
  const voids = cases.flatMap(({ peers }) => peers.filter(({ agreement }) => agreement && !agreement.agrees));
  return {
    ...{ form: 2, startedAt, machine: machine(), threads, warmUps, settings, cases, finished },
    voids: voids.length,
    targets: reportTargets({ cases, settings }),
  };
}

async function groupsOf(
  options: BenchOptions,
  cache: string,
  onProgress: (sentence: string) => void,
): Promise<CaseGroup[]> {
  const { suites, layers, batch, latents, tokens, seed } = options;
  const weights = options.weights === 'random' ? 'random' : { model: options.weights };
  const batches = batch === undefined ? DECODING_BATCHES : [batch];
  const groups: CaseGroup[] = [];
  for (const name of options.shapes) {
    const shape = shapeOf(name, { layers, batch });
    let opened: { readonly folder: string; readonly work: WorkDescription } | null = null;
    const model = async () => {
      if (opened) return opened;
      const decoding = { batch: Math.max(...batches), latents, tokens };
      const folder = await makeWork({ shape, weights, seed, decoding, cache, onProgress });
      opened = { folder, work: readWork(folder) };
      return opened;
    };
    for (const suite of suites) {
      if (suite === 'kernels') {
        groups.push(...kernelSuite(shape, (size) => kernelInputs(size, seed, cache)));
      } else if (suite === 'stage1' || suite === 'stage2') {
        const { folder, work } = await model();
        groups.push(
          ...trainingSuite(suite, name, folder, work).flatMap((group) => thatFit(group, work, options)),
        );
      } else if (suite === 'decode') {
        const { folder, work } = await model();
        groups.push(...decodingSuite(name, folder, work, batches));
        if (options.peers?.includes('llama.cpp') ?? true) {
          groups.push(...plainDecodingSuite(name, folder, work, batches));
        }
      } else if (suite === 'labels') {
        const labelled = shapeOf(name, { layers, batch: batch ?? LABELLED_ROWS[name] });
        const folder = makeVariant((await model()).folder, labelled, seed);
        groups.push(...labelsSuite(name, folder, readWork(folder)));
      } else if (suite === 'scaling') {
        const shallow = shapeOf(name, {
          layers: Math.min(layers ?? SCALING_LAYERS, shape.config.layers),
          batch,
        });
        const decoding = { batch: 1, latents: 1, tokens: 1 };
        const weighed = name === 'demo' ? shape : shallow;
        const folder = await makeWork({ shape: weighed, weights, seed, decoding, cache, onProgress });
        for (const point of scalingPoints(weighed)) {
          const variant = makeVariant(folder, point.shape, seed);
          const work = readWork(variant);
          // dense masks grow with the square of a chain
          groups.push(...thatFit(scalingGroup(point, variant, work), work, options));
        }
      }
    }
  }
  return groups;
}

/** The group, or several of them where its peers together would not fit into memory. */
function thatFit(group: CaseGroup, work: WorkDescription, options: BenchOptions): CaseGroup[] {
  const wanted = group.peers.filter((name, i) => i === 0 || (options.peers?.includes(name) ?? true));
  const expected = wanted.map((peer) => [peer, expectedBytes(peer, work)] as const);
  const { memoryBytes } = machine();
  const { groups, tooLarge } = sideBySide(expected, memoryBytes);
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(0)} GB`;
  const skipped = tooLarge.map(([peer, bytes]) => ({
    peer,
    reason: `not run: expected to take ${gigabytes(bytes)} beside ours, of ${gigabytes(memoryBytes)}`,
  }));
  return groups.map((peers, i) => ({
    ...group,
    peers,
    skipped: i === 0 ? skipped : [],
    cases: group.cases.map((one) =>
      groups.length === 1 ? one : { ...one, title: `${one.title}, beside ${peers.slice(1).join(' and ')}` },
    ),
  }));
}
