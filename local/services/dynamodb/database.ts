import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from '../../kernel/service.ts';

/** Answer of the database: status and JSON text. */
export interface Answer {
  status: number;
  body: string;
}

export interface Database {
  /**
   * Resolves also when the answer is an error.
   * @throws AwsError InternalServerError when there is no answer
   */
  send(target: string, input: unknown): Promise<Answer>;
  /**
   * The answer's output.
   * @throws AwsError with the answer's code
   */
  call(target: string, input: unknown): Promise<unknown>;
}

/** A connection to a database. */
export interface Transport {
  /**
   * Resolves also when the answer is an error.
   * @throws Error when there is no answer, AwsError for an unsupported request
   */
  send(target: string, input: unknown): Promise<Answer>;
  close(): Promise<void>;
  /** Ends it at once. */
  crash(): void;
}

const TIMEOUT_MS = 30_000;
/** Operations that may add records to streams. */
const WRITE = /\.(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

/** @param onWrite is called after each write, whatever its outcome */
export function connect(transport: Transport, onWrite: () => void): Database {
  async function send(target: string, input: unknown): Promise<Answer> {
    const late = new AbortController();
    try {
      const timeout = wait(TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`no answer in ${TIMEOUT_MS / 1000} s`);
      });
      timeout.catch(() => {});
      return await Promise.race([transport.send(target, input), timeout]);
    } catch (error) {
      if (error instanceof AwsError) throw error;
      // As on AWS: the outcome is unknown, and clients retry.
      throw new AwsError('InternalServerError', 500, `The local database did not answer: ${String(error)}`);
    } finally {
      late.abort();
      if (WRITE.test(target)) onWrite();
    }
  }
  return databaseOf(send);
}

export function databaseOf(send: Database['send']): Database {
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
