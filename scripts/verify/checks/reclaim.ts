import { DescribeJobsCommand, ListJobsCommand } from '@aws-sdk/client-batch';
import { StopTaskCommand } from '@aws-sdk/client-ecs';
import { awaited, type Check } from '../check.ts';
import { Failed } from '../failed.ts';
import { dropClip, jobsOf, makeClip, ready } from '../media.ts';
import { outputOf } from '../target.ts';

/** ECS's message for a reclaimed task; AWS Batch matches it to retry. */
const REASON = 'Your Spot Task was interrupted.';

/** A worker that is taken away in the middle of an encode is replaced. */
export const reclaim: Check = {
  name: 'reclaim',
  promise: 'a job whose worker is reclaimed continues with another',
  async run(run) {
    const { clients, longClip } = run.target;
    const { batch, ecs } = clients;
    const jobQueue = outputOf(run.target, 'JobQueue');
    const mediaId = await dropClip(
      run,
      await makeClip(run, 'reclaimed.mp4', longClip.seconds, longClip.size),
      'default',
    );
    const taskArn = await awaited(run, `a worker of ${mediaId} runs`, 900, async () => {
      const filters = [{ name: 'JOB_NAME', values: [`${mediaId}*`] }];
      const { jobSummaryList = [] } = await batch.send(new ListJobsCommand({ jobQueue, filters }));
      const jobs = jobSummaryList.flatMap(({ jobId }) => jobId ?? []);
      if (jobs.length === 0) return undefined;
      const { jobs: found = [] } = await batch.send(new DescribeJobsCommand({ jobs }));
      return found.find(({ status }) => status === 'RUNNING')?.container?.taskArn;
    });
    const cluster = /:task\/([^/]+)\//.exec(taskArn)?.[1];
    await ecs.send(new StopTaskCommand({ ...(cluster && { cluster }), task: taskArn, reason: REASON }));
    await ready(run, mediaId, { seconds: 1800 });
    const [job] = await jobsOf(run, mediaId);
    if (job?.attempt !== 2) {
      throw new Failed(
        `The media item ${mediaId} is ready by attempt ${job?.attempt}: the worker that was stopped had ended.`,
      );
    }
    return 'the second attempt made it ready';
  },
};
