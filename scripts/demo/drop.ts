import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Upload } from '@aws-sdk/lib-storage';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from './clients.ts';
import type { Progress } from './progress.ts';

const CREATOR = 'demo';

export interface Dropped {
  mediaId: string;
  creatorId: string;
  uploadedAt: number;
}

/** Uploads one file to `drop/demo/default/{index}/{name}`, streamed; the number distinguishes equal names. */
export async function dropFile(
  cloud: Cloud,
  file: string,
  index: number,
  report: (progress: Progress) => void,
): Promise<Dropped> {
  const bucket = cloud.outputs.UploadsBucket ?? '';
  const key = dropKey({ creatorId: CREATOR, collectionId: 'default', path: `${index + 1}/${basename(file)}` });
  const { size } = await stat(file);
  const upload = new Upload({
    client: developerClients(cloud).s3,
    params: { Bucket: bucket, Key: key, Body: createReadStream(file) },
    partSize: Math.max(16 * 2 ** 20, Math.ceil(size / 9_000)), // S3 takes at most 10,000 parts
  });
  upload.on('httpUploadProgress', ({ loaded }) => {
    report({ state: 'uploading', step: '', percent: size > 0 ? ((loaded ?? 0) / size) * 100 : 100 });
  });
  await upload.done();
  return { mediaId: await mediaIdFor(bucket, key), creatorId: CREATOR, uploadedAt: Date.now() };
}
