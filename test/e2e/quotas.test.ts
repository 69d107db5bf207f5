import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { addWebhook, apiAs, startReceiver } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { temporaryDirectory } from '../support/media.ts';
import { drop, testVideo } from '../support/pipeline.ts';

it("an upload over a creator's daily quota is refused by the API, fails as a drop, and can be retried the next day", async () => {
  await using booted = await testCloud({ environment: { MAX_UPLOADS_PER_DAY: '1' } });
  await using folder = await temporaryDirectory();
  const { cloud } = booted;
  const ann = await apiAs(cloud, 'ann');
  const body = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4' };
  expect((await ann('POST', '/uploads', { body })).status).toBe(201);
  const refused = await ann('POST', '/uploads', { body });
  expect([refused.status, refused.body.code]).toEqual([429, 'quota_exceeded']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await (await apiAs(cloud, 'bob'))('POST', '/uploads', { body })).status).toBe(201);

  const Bucket = cloud.outputs.UploadsBucket ?? '';
  const Key = 'drop/ann/default/clip.mp4';
  const Body = await readFile(await testVideo(join(folder.path, 'clip.mp4'), { seconds: 1, size: '64x64' }));
  await developerClients(cloud).s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const id = await mediaIdFor(Bucket, Key);
  const becomes = (state: string) =>
    eventually(`it is ${state}`, async () => {
      const { body: media } = await ann('GET', `/media/${id}`);
      return media.state === state && media;
    });
  expect((await becomes('failed')).error).toMatchObject({ code: 'quota_uploads' });
  const early = await ann('POST', `/media/${id}/retry`);
  expect([early.status, early.body.code]).toEqual([429, 'quota_exceeded']);

  cloud.clock.advance(24 * 3_600_000);
  const tomorrow = await apiAs(cloud, 'ann');
  expect((await tomorrow('POST', `/media/${id}/retry`)).status).toBe(202);
  await eventually('it is ready', async () => (await tomorrow('GET', `/media/${id}`)).body.state === 'ready');
});

it('an encode that the monthly cap has no room for is held: the upload is kept, and a webhook says why', async () => {
  const environment = { MAX_USD_PER_MONTH: '0', WEBHOOK_ALLOW_LOOPBACK: 'true' };
  await using booted = await testCloud({ environment });
  await using folder = await temporaryDirectory();
  await using receiver = await startReceiver();
  const { cloud } = booted;
  const ann = await apiAs(cloud, 'ann');
  await addWebhook(ann, receiver.url);
  const file = await testVideo(join(folder.path, 'clip.mp4'));
  const id = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
  const held = await eventually('a webhook says that it is held', async () =>
    receiver.received.map(({ body }) => JSON.parse(body)).find(({ type }) => type === 'media.held'),
  );
  const error = { code: 'cap_reached', message: expect.stringContaining("Of the month's 0.00 USD of the creator") };
  expect(held.data).toMatchObject({ mediaId: id, state: 'uploaded', error });
  const { body: media } = await ann('GET', `/media/${id}`);
  expect(media).toMatchObject({ state: 'uploaded', error, job: { state: 'queued', error } });
  expect((await ann('PATCH', '/collections/default', { body: { maxUsdPerMonth: 5 } })).status).toBe(403);
});
