import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { type Credentials, REGION } from '../../kernel/account.ts';
import { JobError } from './job-error.ts';

/** What a job reads and writes, with the permissions of its role. */
export interface Objects {
  /** @throws JobError */
  download(uri: string, file: string): Promise<void>;
  /** @throws JobError */
  upload(file: string, uri: string): Promise<void>;
  close(): void;
}

const TYPES: Readonly<Record<string, string>> = {
  m3u8: 'application/x-mpegURL',
  cmfv: 'video/mp4',
  cmfa: 'audio/mp4',
  mp4: 'video/mp4',
  jpg: 'image/jpeg',
  vtt: 'text/vtt',
};

export function objectsOf(endpoint: string, credentials: Credentials): Objects {
  const s3 = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
  return {
    async download(uri, file) {
      const { Body } = await s3.send(new GetObjectCommand(locate(uri))).catch((error: unknown) => {
        throw inputError(uri, error);
      });
      await pipeline(Body as Readable, createWriteStream(file));
    },
    async upload(file, uri) {
      const { size: ContentLength } = await stat(file);
      const ContentType = TYPES[uri.slice(uri.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
      const command = new PutObjectCommand({
        ...locate(uri),
        Body: createReadStream(file),
        ContentLength,
        ContentType,
      });
      await s3.send(command).catch((error: unknown) => {
        throw outputError(uri, error);
      });
    },
    close: () => s3.destroy(),
  };
}

function locate(uri: string): { Bucket: string; Key: string } {
  const path = uri.slice('s3://'.length);
  const slash = path.indexOf('/');
  return { Bucket: path.slice(0, slash), Key: path.slice(slash + 1) };
}

const statusOf = (error: unknown) => (error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined);

/** The codes are of AWS's list, the texts guesses but for `HeadObject failed`. */
function inputError(uri: string, error: unknown): JobError {
  const status = statusOf(error);
  if (status === 404)
    return new JobError(1404, `Unable to open input file [${uri}]: [Failed probe/open: [HeadObject failed]]`);
  if (status === 403) return new JobError(1401, `Unable to open input file [${uri}]: Access Denied`);
  return new JobError(1999, `Unknown error: ${error}`);
}

function outputError(uri: string, error: unknown): JobError {
  if (statusOf(error) === 403) return new JobError(1401, `Unable to write to output file [${uri}]: Access Denied`);
  return new JobError(1517, `Unable to write to output file [${uri}]: ${error}`);
}
