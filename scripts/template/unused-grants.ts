/** A granted action that a local run may end without, and why the role needs it. */
interface Unseen {
  role: string;
  action: string;
  why: string;
  /** Used where the timing of a run happens to ask for it. */
  byChance?: true;
}

export const NEEDED_UNSEEN: readonly Unseen[] = [
  ...[
    'transcoderexecution',
    'publishoutput',
    'servepages',
    'trackjob',
    'ingestupload',
    'announcechange',
    'deliverwebhook',
    'fanoutchange',
    'sweeprole',
    'apifunction',
  ].flatMap((role) =>
    ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({
      role,
      action,
      why: 'Lambda and ECS write the logs with it; here they go to the console.',
    })),
  ),
  ...[
    'ecr:BatchCheckLayerAvailability',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchGetImage',
    'ecr:GetAuthorizationToken',
  ].map((action) => ({ role: 'transcoderexecution', action, why: 'ECS pulls the image with it; no image runs here.' })),
  ...['transcoderjob', 'httpengineworker'].flatMap((role) => [
    {
      role,
      action: 's3:AbortMultipartUpload',
      why: 'An output of more than 64 MiB whose upload fails, so that its parts are not paid for until they expire.',
    },
    {
      role,
      action: 's3:ListBucket',
      why: 'Without it S3 answers 403 for an upload that was deleted before its job began; it looks transient, but is not.',
    },
  ]),
  {
    role: 'sweeprole',
    action: 'dynamodb:PutItem',
    why: 'The first function that submits to the HTTP endpoint makes the key of its secrets; here that is ingest-upload.',
  },
  ...['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'].map((action) => ({
    role: 'sweeprole',
    action,
    why: 'A copy of the archive of more than 1 GiB is copied in parts, by several runs, unless its archive is switched off.',
  })),
  {
    role: 'publishoutput',
    action: 's3:AbortMultipartUpload',
    why: 'Objects of more than 5 GiB are copied in parts: the same, when one fails.',
  },
  {
    role: 'publishoutput',
    action: 'sqs:SendMessage',
    why: 'It sends itself the rest when 15 minutes do not do for all copies: hours of video.',
  },
  ...['publishoutput', 'trackjob'].map((role) => ({
    role,
    action: 'dynamodb:PutItem',
    why: 'An upload that arrived while another of its media item was encoded gets its job when that one ends.',
  })),
  ...['dynamodb:UpdateItem', 'dynamodb:DeleteItem'].map((action) => ({
    role: 'trackjob',
    action,
    why: 'It notes that an engine takes no jobs, and that it takes them again, when it submits the next part of one.',
  })),
  {
    role: 'trackjob',
    action: 'batch:ListJobs',
    why: 'It looks for the worker of a part whose submission was not noted, before it submits another one.',
  },
  {
    role: 'trackjob',
    action: 'batch:SubmitJob',
    why: 'To the queues of workers with a GPU: the later parts of a film in chunks; no film of the run is long enough.',
  },
  {
    role: 'trackjob',
    action: 'batch:DescribeJobs',
    why: 'What the workers of a film in chunks held, once they have ended; no film of the run is long enough.',
  },
  {
    role: 'ingestupload',
    action: 'batch:TerminateJob',
    why: 'It ends the re-transcode that a new upload replaces.',
    byChance: true,
  },
  ...[
    ['ingestupload', 'dynamodb:UpdateItem'],
    ['ingestupload', 'dynamodb:DeleteItem'],
    ['sweeprole', 'dynamodb:DeleteItem'],
  ].map(([role = '', action = '']) => ({
    role,
    action,
    why: 'It notes that an engine takes no jobs, and that it takes them again.',
    byChance: true as const,
  })),
  {
    role: 'apifunction',
    action: 'cloudwatch:GetMetricData',
    why: 'It asks how old the messages of queues are, where any are there.',
    byChance: true,
  },
  {
    role: 'fanoutchange',
    action: 'dynamodb:GetItem',
    why: 'It reads the existing delivery when a change arrives twice.',
    byChance: true,
  },
  {
    role: 'deliverwebhook',
    action: 'sqs:SendMessage',
    why: 'It sends itself deliveries that their receiver refused, to retry them later.',
    byChance: true,
  },
  ...['dynamodb:GetItem', 'dynamodb:UpdateItem'].map((action) => ({
    role: 'sweeprole',
    action,
    why: 'Webhook deliveries whose message was lost are sent again.',
  })),
  {
    role: 'sweepschedulerole',
    action: 'sqs:SendMessage',
    why: "The scheduler's dead letter when Lambda refuses the event of a run, which does not happen here.",
  },
];
