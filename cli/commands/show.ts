import type { Command } from 'commander';
import type { JobView } from '../../core/contracts/http/media.ts';
import { contextOf } from '../context.ts';
import { describeMedia } from '../describe-media.ts';
import { mediaId } from '../options.ts';
import { table } from '../table.ts';

export function addShow(program: Command): void {
  program
    .command('show')
    .description('show a media item')
    .argument('<id>', '', mediaId)
    .option('--jobs', 'its jobs too')
    .action(async (id: string, options: { jobs?: boolean }, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('getMedia', { id });
      const jobs = options.jobs ? (await api.call('listJobs', { id })).items : undefined;
      out.result({ ...media, ...(jobs && { jobs }) }, () =>
        jobs ? `${describeMedia(media)}\n\n${listed(jobs)}` : describeMedia(media),
      );
    });
}

function listed(jobs: JobView[]): string {
  return table(
    ['JOB', 'PURPOSE', 'STATE', 'ENGINE', 'CREATED', 'EXPECTED USD', 'USD', 'ERROR'],
    jobs.map((job) => [
      job.id,
      job.purpose,
      job.state,
      job.engine,
      job.createdAt,
      job.estimate ? job.estimate.usd.toFixed(4) : '',
      job.cost ? job.cost.usd.toFixed(4) : '',
      job.error?.code ?? '',
    ]),
  );
}
