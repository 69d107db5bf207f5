import { GetObjectCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completeMultipart, createMultipart, listParts } from '../../aws/multipart.ts';
import { MEDIA, type Services, startServices } from '../support/services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const contentOf = async (Key: string) => {
  const { Body } = await services.s3.send(new GetObjectCommand({ Bucket: MEDIA, Key }));
  return Body?.transformToString();
};

it('a multipart upload that is completed does not replace an object that exists under its key', async () => {
  const { s3 } = services;
  const target = { bucket: MEDIA, key: 'tmp/parts' };
  const uploadId = await createMultipart(s3, target, 'video/mp4');
  const part = { Bucket: MEDIA, Key: target.key, UploadId: uploadId, PartNumber: 1, Body: 'late' };
  await s3.send(new UploadPartCommand(part));
  await s3.send(new PutObjectCommand({ Bucket: MEDIA, Key: target.key, Body: 'first' }));
  const parts = (await listParts(s3, target, uploadId)) ?? [];
  expect(await completeMultipart(s3, target, uploadId, parts)).toBe('over');
  expect(await contentOf(target.key)).toBe('first');
});
