import { REGION } from '../account.ts';
import { AwsError } from '../service.ts';

/** Answer of the database: its status and JSON text. */
export interface Answer {
  status: number;
  body: string;
}

export interface Database {
  /** Resolves also when the answer is an error. @throws AwsError InternalServerError when there is no answer */
  send(target: string, input: unknown): Promise<Answer>;
  /** The answer's output. @throws AwsError with the answer's code */
  call(target: string, input: unknown): Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
/** What may add records to streams. */
const WRITE = /\.(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;
/** The database wants to be signed to, and does not look at the signature. */
const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=local/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`;

/** @param onWrite is called after each write, whatever its outcome */
export function connect(endpoint: () => Promise<string>, onWrite: () => void): Database {
  async function send(target: string, input: unknown): Promise<Answer> {
    try {
      const answer = await fetch(await endpoint(), {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': target,
          'x-amz-date': '20260101T000000Z',
          authorization: AUTHORIZATION,
        },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: answer.status, body: await answer.text() };
    } catch (error) {
      // As AWS's: the outcome is unknown, and clients try again.
      throw new AwsError('InternalServerError', 500, `The local database did not answer: ${String(error)}`);
    } finally {
      if (WRITE.test(target)) onWrite();
    }
  }
  return {
    send,
    async call(target, input) {
      const { status, body } = await send(target, input);
      const output = JSON.parse(body);
      if (status === 200) return output;
      throw new AwsError(String(output.__type).replace(/^.*#/, ''), status, output.message ?? output.Message ?? body);
    },
  };
}
