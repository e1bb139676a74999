import { join } from 'node:path';
import { type StageCosts, stageCostsSchema } from '../loop/cost-meter.js';
import { readEvents } from '../run/event-log.js';
import { EVENTS_FILE } from '../run/run-folder.js';

/** What labels that were stopped have cost, from the event of their last chunk; null if none was finished. */
export function earlierLabelCosts(run: string): StageCosts | null {
  const events = readEvents(join(run, EVENTS_FILE)).filter(({ stage }) => stage === 'labels');
  const start = events.findLastIndex(({ action }) => action === 'start');
  const chunk = events.slice(start).findLast(({ type }) => type === 'labels');
  return stageCostsSchema
    .strip()
    .nullable()
    .catch(null)
    .parse(chunk ?? null);
}
