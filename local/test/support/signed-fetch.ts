import { createHash, createHmac } from 'node:crypto';
import { type Credentials, REGION } from '../../kernel/account.ts';

/** A request to a service for which no client is at hand: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export async function signedFetch(
  endpoint: string,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  request: { service: string; method: string; path: string; body?: object },
): Promise<{ status: number; body: unknown }> {
  const { service, method, path } = request;
  const body = request.body ? JSON.stringify(request.body) : '';
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': date,
    ...(sessionToken && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    ...[method, path, '', ...names.map((name) => `${name}:${headers[name]}`), ''],
    ...[names.join(';'), sha256(body)],
  ].join('\n');
  const scope = `${date.slice(0, 8)}/${REGION}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const sent = { ...headers, authorization, 'content-type': 'application/json' };
  const answer = await fetch(`${endpoint}${path}`, { method, headers: sent, ...(body && { body }) });
  return { status: answer.status, body: await answer.json() };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
