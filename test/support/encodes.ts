import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Result } from '../../core/contracts/job.ts';
import { RESULT_FILE, TMP_PREFIX } from '../../core/contracts/keys.ts';
import type { Cloud } from '../../local/boot.ts';
import type { GatewayCall, Hooks } from '../../local/gateway/hooks.ts';
import { developerClients } from '../../scripts/demo/clients.ts';

const RESULT = new RegExp(`/${TMP_PREFIX}([^/]+)/${RESULT_FILE}$`);

/**
 * How often each job was encoded to its end: how many times a worker has put a result that says succeeded. What the engine
 * says does not count, for a double that leaves at once ends as well as one that has encoded everything.
 */
export class Encodes {
  readonly #results = new Map<string, Set<string>>();
  #s3: S3Client | undefined;
  #bucket = '';

  /** Before the first encode. */
  watch(cloud: Cloud): void {
    this.#s3 = developerClients(cloud).s3;
    this.#bucket = cloud.outputs.MediaBucket ?? '';
  }

  /** For a cloud, around other hooks. */
  hooks(inner: Hooks = {}): Hooks {
    return {
      ...inner,
      after: async (call) => {
        await this.see(call);
        await inner.after?.(call);
      },
    };
  }

  /** A call that is done: the object is there by then. */
  async see({ operation, principal, invocation = '', request }: GatewayCall): Promise<void> {
    if (operation !== 'PutObject' || principal.type !== 'role') return;
    const [, jobId] = RESULT.exec(decodeURIComponent(request?.path ?? '')) ?? [];
    if (jobId === undefined || !this.#s3) return;
    const object = { Bucket: this.#bucket, Key: `${TMP_PREFIX}${jobId}/${RESULT_FILE}` };
    const { Body } = await this.#s3.send(new GetObjectCommand(object));
    const result = Result.parse(JSON.parse((await Body?.transformToString()) ?? ''));
    if (result.status !== 'succeeded') return;
    // The SDK's tries of one call are one.
    this.#results.set(jobId, (this.#results.get(jobId) ?? new Set()).add(invocation));
  }

  of(jobId: string): number {
    return this.#results.get(jobId)?.size ?? 0;
  }
}
