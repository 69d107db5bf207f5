/** Granted actions that no local run can use, each with the reason for which the role has it all the same. */
export const NEEDED_UNSEEN: readonly { role: string; action: string; why: string }[] = [
  ...[
    'transcoderexecution',
    'publishoutput',
    'trackjob',
    'ingestupload',
    'announcechange',
    'deliverwebhook',
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
  {
    role: 'transcoderjob',
    action: 's3:AbortMultipartUpload',
    why: 'An output of more than 8 MiB whose upload fails, so that its parts are not paid for until they expire.',
  },
  {
    role: 'transcoderjob',
    action: 's3:ListBucket',
    why: 'Without it S3 says 403 of an upload that was deleted before its job began, which is not worth a retry but looks so.',
  },
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
  {
    role: 'sweepschedulerole',
    action: 'sqs:SendMessage',
    why: "The scheduler's letter when Lambda does not take the event of a run, which it always does here.",
  },
];
