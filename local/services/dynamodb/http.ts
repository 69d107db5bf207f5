import { REGION } from '../../kernel/account.ts';
import type { Transport } from './database.ts';

/** DynamoDB Local and similar servers require a signature but do not check it. */
const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=local/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`;

/** A connection to an external database, which is not started or ended here. */
export function overHttp(endpoint: string): Transport {
  return {
    async send(target, input) {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': target,
          'x-amz-date': '20260101T000000Z',
          authorization: AUTHORIZATION,
        },
        body: JSON.stringify(input),
      });
      return { status: answer.status, body: await answer.text() };
    },
    close: async () => {},
    crash: () => {},
  };
}
