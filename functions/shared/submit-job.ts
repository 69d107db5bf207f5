import { callbackSecret, hintToken } from '../../aws/engine-key.ts';
import { apply, applyWithRetry, getJob, getMedia } from '../../aws/table.ts';
import { AUTO } from '../../core/contracts/engines.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { classOf } from '../../core/jobs/experience.ts';
import { secondsOf } from '../../core/jobs/quota.ts';
import { charge } from '../../core/jobs/spending.ts';
import { engineAccepted, holdJob, jobFor, notSubmitted, submitting } from '../../core/jobs/transitions.ts';
import { presumed } from '../../core/media/estimate.ts';
import { choose } from '../../engines/choose.ts';
import { type Engine, EngineRefused } from '../../engines/engine.ts';
import type { Engines } from '../../engines/registry.ts';
import { type CapServices, room } from './caps.ts';
import { presetNamed } from './encoding.ts';
import { expect, experienceWith } from './expect.ts';
import { logger } from './observability.ts';

/** What is needed to submit a job to its engine. */
export interface SubmitServices extends CapServices {
  engines: Engines;
  mediaBucket: string;
}

/**
 * Submits a queued job to the engine that its row names, or to the one that is chosen now for `auto`, and notes the engine's id of it. Of
 * several simultaneous calls one does; stopped half-way, it can be called again after a while: the engine's job of that name is then found
 * instead of made.
 * @returns `held`: there is no room for it under a cap
 * @throws EngineRefused when the engine did not accept it, or this deployment has no such engine; after any other error it is unknown
 * whether it did
 */
export async function submitJob(
  services: SubmitServices,
  { jobId, mediaId, n }: JobRow,
): Promise<'submitted' | 'held' | 'not now'> {
  const { table, engines } = services;
  let info: SourceInfo = {};
  const leased = await applyWithRetry(table, async (): Promise<Outcome<Partial<Leased>>> => {
    const [row, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    if (!row) return { refused: 'the job is gone' };
    // What is known of the media item's source is that of its current job's.
    info = (media?.jobId === jobId && media.sourceInfo) || {};
    const now = new Date().toISOString();
    const choice = await choiceFor(services, row, info);
    if (row.charged) return submitting(row, media, choice, now);
    const { usd = 0 } = choice.estimate ?? {};
    const { caps, over } = await room(services, row, usd, now);
    return over
      ? holdJob(row, media, over)
      : submitting(row, media, { ...choice, charge: charge(row, usd, caps, now) }, now);
  });
  if ('refused' in leased) {
    logger.info('not submitted', { jobId, why: leased.refused });
    return 'not now';
  }
  const { job, tried } = leased;
  if (!job || tried === undefined) {
    logger.warn('held', { jobId, code: 'cap_reached' });
    return 'held';
  }
  const engineJobId = await submitLeased(services, engines.get(job.engine), job, { info, tried });
  const noted = await applyWithRetry(table, async () => {
    const [row, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    return row ? engineAccepted(row, media, engineJobId, new Date().toISOString()) : { refused: 'the job is gone' };
  });
  logger.info('submitted', {
    jobId,
    engine: job.engine,
    engineJobId,
    tried,
    ...('refused' in noted && { notNoted: noted.refused }),
  });
  return 'submitted';
}

interface Leased {
  /** Whether an earlier call began to submit it. */
  tried: boolean;
  job: JobRow;
}

/** The engine that the row names, or the choice for `auto`, and what it is expected to take. */
async function choiceFor({ table, engines }: SubmitServices, row: JobRow, info: SourceInfo) {
  const preset = presetNamed(row.preset.name);
  const source = presumed(info, secondsOf(info, row.source.size));
  const expected = expect(engines, await experienceWith(table, source), source, preset);
  const engine = row.engine === AUTO ? choose(expected).engine : row.engine;
  const { estimate, assumed } = expected.find((one) => one.engine === engine) ?? {};
  return {
    engine,
    onDemand: engines.get(engine).needsOnDemand(info, preset),
    ...(estimate && assumed && !('unfit' in estimate) && { estimate: { ...estimate, of: classOf(source), assumed } }),
  };
}

async function submitLeased(
  { table, mediaBucket }: SubmitServices,
  engine: Engine,
  row: JobRow,
  { info, tried }: { info: SourceInfo; tried: boolean },
): Promise<string> {
  const { purpose, onDemand = false } = row;
  const job = jobFor(row, presetNamed(row.preset.name), mediaBucket);
  const access = async () => ({
    secret: await callbackSecret(table, row.jobId),
    hintToken: await hintToken(table, row.jobId),
  });
  try {
    return await engine.submit({ job, info, access, purpose, onDemand, tried });
  } catch (error) {
    if (error instanceof EngineRefused) await apply(table, notSubmitted(row));
    throw error;
  }
}
