/** The worker on one job, for bench/first-frame.ts: prints its log. Arguments: the job, S3's endpoint and credentials, and the scratch disk. */
import { S3Client } from '@aws-sdk/client-s3';
import { reportProgress } from '../../containers/transcoder/progress.ts';
import { work } from '../../containers/transcoder/worker.ts';
import { Job } from '../../core/contracts/job.ts';

const [job = '', server = '', scratchDirectory = ''] = process.argv.slice(2);
const { endpoint, accessKeyId, secretAccessKey } = JSON.parse(server);
const s3 = new S3Client({
  ...{ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } },
  ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
});
const progress = reportProgress(async () => undefined, { jobId: 'bench', engineJobId: 'bench', attempt: 1 });
process.exitCode = await work(Job.parse(JSON.parse(job)), {
  ...{
    s3,
    tools: { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' },
    engineJobId: 'bench',
    scratchDirectory,
    progress,
    gpu: false,
  },
  signal: new AbortController().signal,
});
