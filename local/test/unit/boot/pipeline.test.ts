import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { developer, fn, POLL, queuePolicy, RECORDER, role, smallCloud } from '../../support/small-cloud.ts';

/** Bucket → default bus → queue → function. */
const PIPELINE = {
  functions: { recorder: RECORDER },
  outputs: { Bucket: { Value: { Ref: 'Uploads' } } },
  resources: {
    Uploads: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: {
          source: ['aws.s3'],
          'detail-type': ['Object Created'],
          detail: { bucket: { name: [{ Ref: 'Uploads' }] }, object: { key: [{ prefix: 'drop/' }] } },
        },
        Targets: [{ Id: 'Target0', Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } }],
      },
    },
    Queue: { Type: 'AWS::SQS::Queue' },
    QueuePolicy: queuePolicy('Queue', 'Rule'),
    Role: role(...POLL),
    Function: fn('recorder', 'Role'),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Function' },
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  },
};

test('an object under drop/ reaches the function through EventBridge and SQS', async () => {
  await using small = await smallCloud(PIPELINE);
  const s3 = new S3Client({ ...developer(small.cloud), forcePathStyle: true });
  const Bucket = small.cloud.outputs.Bucket;
  await s3.send(new PutObjectCommand({ Bucket, Key: 'other/a.mp4', Body: 'a' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'drop/ada/ä b+c.mp4', Body: 'hello' }));
  const [event] = await eventually('the event', async () => {
    const written = await small.written();
    return written.length > 0 && (written as { Records: { body: string; eventSource: string }[] }[]);
  });
  const [record, ...others] = event?.Records ?? [];
  expect(others).toEqual([]);
  expect(record?.eventSource).toBe('aws:sqs');
  const body = JSON.parse(record?.body ?? '');
  expect(body).toMatchObject({ source: 'aws.s3', 'detail-type': 'Object Created', region: 'us-east-1' });
  expect(body.detail.object).toMatchObject({ key: 'drop/ada/ä b+c.mp4', size: 5 });
});

test('a rule that may not send to its queue delivers nothing, and the log names the reason', async () => {
  const { QueuePolicy, ...resources } = PIPELINE.resources;
  await using small = await smallCloud({ ...PIPELINE, resources });
  const s3 = new S3Client({ ...developer(small.cloud), forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: small.cloud.outputs.Bucket, Key: 'drop/ada/a.mp4', Body: 'hello' }));
  const line = await eventually('the refusal', async () => small.log.find((it) => it.includes('AccessDenied')));
  expect(line).toContain('rule small-rule → arn:aws:sqs:us-east-1:123456789012:small-queue failed after 0 retries');
  expect(QueuePolicy).toBeDefined();
});
