import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { Upload } from '@aws-sdk/lib-storage';
import type { EngineChoice } from '../../core/contracts/engines.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import { newCollection } from '../../core/jobs/transitions.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from './clients.ts';
import type { Progress } from './progress.ts';

export const CREATOR = 'demo';

const COLLECTION = 'default';

/** Makes the collection of the files, with the engine that encodes them. */
export async function setEngine(cloud: Cloud, engine: EngineChoice): Promise<void> {
  const place = { creatorId: CREATOR, collectionId: COLLECTION };
  const { key, row } = newCollection(place, new Date().toISOString(), { engine });
  await developerClients(cloud).table.send(
    new PutCommand({ TableName: cloud.outputs.Table, Item: { ...row, ...key } }),
  );
}

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
  const key = dropKey({ creatorId: CREATOR, collectionId: COLLECTION, path: `${index + 1}/${basename(file)}` });
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
