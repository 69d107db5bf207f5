import { eachLimit } from '../../aws/concurrency.ts';
import { getRows } from '../../aws/table-queries.ts';
import type { Refused } from '../../core/contracts/refused.ts';
import { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK } from '../../core/contracts/table/keys.ts';
import { STALE_AFTER_MS } from '../../core/contracts/timing.ts';
import { jobKey } from '../../core/jobs/rows.ts';
import { whyNotToSubmit } from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { EngineRefused, type EngineState } from '../../engines/engine.ts';
import type { Moves } from '../shared/decide-submission.ts';
import { askToPublish, failJob, readResult, takeResult } from '../shared/end-job.ts';
import { logger } from '../shared/observability.ts';
import { submitJob } from '../shared/submit-job.ts';
import { due, Failures } from './due.ts';
import { repairFromEngine } from './engine-jobs.ts';
import { lookAgain } from './look-again.ts';
import type { SweepServices } from './services.ts';

/** A job that the engine still refuses this long after it was made is given up. */
const GIVE_UP_MINUTES = 60;
/** AWS Batch accepts some 50 calls a second of an account before it throttles; the SDK retries. */
const AT_ONCE = 10;

/** Unfinished jobs without a sign of life: asks the engine, and S3, and makes up for the missed events. */
export async function repairJobs(services: SweepServices): Promise<void> {
  const failures = new Failures();
  for (const todo of [DUE_WORK.job, DUE_WORK.retranscodeJob, DUE_WORK.heldJob]) {
    for await (const items of due(services, todo)) {
      const jobs = await getRows(services.table, items, JobRow, true);
      const mine = jobs.filter((row) => row.todo === todo);
      // One that waits to be submitted was due at the time that it was given.
      const waits = (job: JobRow) => job.engineJobId === undefined && job.error !== undefined;
      const isSilent = (job: JobRow) => waits(job) || plus(job.heartbeatAt, { ms: STALE_AFTER_MS }) <= services.now;
      await eachLimit(
        mine.filter((job) => !isSilent(job)),
        AT_ONCE,
        (job) => failures.of(jobKey(job), lookAgain(services, job, plus(job.heartbeatAt, { ms: STALE_AFTER_MS }))),
        services.timeIsUp,
      );
      await repair(services, mine.filter(isSilent), failures);
    }
  }
  failures.throwFirst();
}

async function repair(services: SweepServices, jobs: readonly JobRow[], failures: Failures): Promise<void> {
  services.report('jobsAsked', jobs.length);
  const states = askEngines(services, jobs);
  const one = (job: JobRow) => failures.of(jobKey(job), repairOne(services, job, states));
  await eachLimit(jobs, AT_ONCE, one, services.timeIsUp);
}

/** Each engine's answer on its jobs, by the engine's name. */
type Asked = Map<string, Promise<Map<string, EngineState>>>;

function askEngines({ engines }: SweepServices, jobs: readonly JobRow[]): Asked {
  const atEngine = jobs.filter((job) => job.state !== 'succeeded' && job.engineJobId !== undefined);
  const asked: Asked = new Map();
  for (const engine of new Set(atEngine.map(({ engine }) => engine))) {
    const ids = atEngine.flatMap((job) => (job.engine === engine ? (job.engineJobId ?? []) : []));
    const answer = (async () => engines.get(engine).describe(ids))();
    // Each of its jobs waits for the answer, unless the time is up before.
    answer.catch(() => {});
    asked.set(engine, answer);
  }
  return asked;
}

async function repairOne(services: SweepServices, job: JobRow, asked: Asked): Promise<void> {
  const { engineJobId } = job;
  if (job.state === 'succeeded') return publishAgain(services, job);
  if (engineJobId === undefined) return submitAgain(services, job);
  const state = await answerOn({ engine: job.engine, engineJobId }, asked);
  // A worker whose host was lost after its last event waits for another one, though all is done.
  const result = job.state === 'running' || state.kind === 'unanswered' ? await readResult(services, job.jobId) : null;
  if (result?.status === 'succeeded') {
    await takeResult(services, result, state.kind === 'ended' ? state.end.held : undefined);
    services.report('jobsRepaired');
  } else {
    await repairFromEngine(services, { ...job, engineJobId }, state);
  }
}

/** An engine that does not answer, or is not installed any more, leaves each of its jobs unanswered. */
async function answerOn(
  { engine, engineJobId }: { engine: string; engineJobId: string },
  asked: Asked,
): Promise<EngineState> {
  const unanswered = (error: unknown): EngineState => ({ kind: 'unanswered', error });
  const states = await asked.get(engine)?.catch(unanswered);
  if (states && 'kind' in states) return states;
  return states?.get(engineJobId) ?? unanswered(new Error(`${engine} left the job ${engineJobId} out of its answer.`));
}

async function publishAgain(services: SweepServices, job: JobRow): Promise<void> {
  await askToPublish(services, job.jobId);
  services.report('jobsRepaired');
  await lookAgain(services, job, plus(services.now, { ms: STALE_AFTER_MS }));
}

/** Its engine may have it, so that another one gets it under another number, and with it under another prefix. */
async function moveOn(services: SweepServices, job: JobRow, { moves, why }: Moves): Promise<void> {
  const ended = await failJob(services, job.jobId, {
    code: 'engine_down',
    message: `${moves} takes no jobs: ${why}`,
    movesFrom: moves,
    unless: whyNotGivenUp(job),
  });
  if (ended === 'failed') services.report('jobsRepaired');
}

/** A part that was not submitted does not end its job once an engine has it, or another caller submits it. */
function whyNotGivenUp({ part }: JobRow): (row: JobRow) => Refused | null {
  return (row) =>
    row.part === part ? whyNotToSubmit(row, new Date().toISOString()) : { refused: 'of an earlier part' };
}

async function submitAgain(services: SweepServices, job: JobRow): Promise<void> {
  try {
    const done = await submitJob(services, job, 'restore');
    if (done === 'submitted') services.report('jobsRepaired');
    if (done === 'held') return services.report('jobsHeld');
    if (typeof done === 'object') return moveOn(services, job, done);
    if (done === 'not now') return;
  } catch (error) {
    const refused = error instanceof EngineRefused && error.forGood;
    if (!refused || plus(job.createdAt, { minutes: GIVE_UP_MINUTES }) > services.now) throw error;
    logger.error('given up', { jobId: job.jobId, error });
    const how = { code: 'engine_refused', message: error.message, unless: whyNotGivenUp(job) } as const;
    if ((await failJob(services, job.jobId, how)) === 'failed') services.report('jobsEscalated');
    return;
  }
  await lookAgain(services, job, plus(services.now, { ms: STALE_AFTER_MS }));
}
