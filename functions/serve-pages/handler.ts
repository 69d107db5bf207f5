import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ServePagesEnv } from '../../core/contracts/env.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { answerFile, answerJson } from './answers.ts';
import { embed } from './embed.ts';
import { contentPolicy } from './policy.ts';

const env = environment(ServePagesEnv);
const FILES = join(import.meta.dirname, 'console');

/** Where browsers send uploads: the origin of a presigned URL. Signing one takes no request and no permission. */
async function uploadsOrigin(): Promise<string> {
  const command = new PutObjectCommand({ Bucket: env.UPLOADS_BUCKET, Key: 'any' });
  return new URL(await getSignedUrl(new S3Client({}), command)).origin;
}

let policy: Promise<string> | undefined;

const table = tableNamed(env.TABLE_NAME);
const template = readFile(join(import.meta.dirname, 'embed.html'), 'utf8');

/** The console's files, with the policy that they need, and what the console has to know of its deployment; and the pages that other sites may frame. */
export const handler = lambda(async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  const { proxy: name = '', creatorId, mediaId } = event.pathParameters ?? {};
  if (mediaId !== undefined) return embed(table, { creatorId, mediaId }, await template, env);
  policy ??= uploadsOrigin().then(
    (uploads) => contentPolicy(env, uploads),
    (error: unknown) => {
      // The next request tries again.
      policy = undefined;
      throw error;
    },
  );
  if (name === 'config.json') {
    const { API_URL: apiUrl, UPLOADS_BUCKET: uploadsBucket, SIGN_IN: signIn } = env;
    return answerJson({ apiUrl, uploadsBucket, signIn }, await policy);
  }
  return answerFile(FILES, name, await policy);
});
