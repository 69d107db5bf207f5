import { request } from 'node:http';
import { expect, test } from 'vitest';
import { bucketOf, startS3 } from '../../support/s3-target.ts';

const MIB = 2 ** 20;
const OPEN = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::plain/*' }] };

test('an upload of 512 MiB and its download increase memory by less than 150 MiB', async () => {
  await using local = await startS3({ buckets: [bucketOf('plain', { policy: OPEN })] });
  const block = Buffer.alloc(MIB, 'x');
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { 'content-length': 512 * MIB };
    const outgoing = request(`${local.endpoint}/plain/large`, { method: 'PUT', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    outgoing.on('error', reject);
    let left = 512;
    const write = () => {
      for (; left > 0; left--) {
        sample();
        if (!outgoing.write(block)) {
          left--;
          outgoing.once('drain', write);
          return;
        }
      }
      outgoing.end();
    };
    write();
  });
  expect(status).toBe(200);
  let size = 0;
  for await (const chunk of (await fetch(`${local.endpoint}/plain/large`)).body ?? []) {
    size += chunk.length;
    sample();
  }
  expect(size).toBe(512 * MIB);
  expect((peak - before) / MIB).toBeLessThan(150);
});
