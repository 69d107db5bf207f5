import { createHash } from 'node:crypto';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { getRow, type Table } from '../../aws/table.ts';
import { canonicalJson } from '../../core/api/etag.ts';
import { ApiError } from '../../core/api/problem.ts';
import { apiKeys } from '../../core/contracts/table/keys.ts';
import { seal, unseal } from './seal.ts';

/** Seconds for which an answer is kept. */
const KEPT = 24 * 3600;
/** Seconds after which a request that never ended counts as dead; API Gateway gives up after 30. */
const LOCKED = 60;

const StoredAnswer = z.object({
  status: z.number().int(),
  body: z.string(),
  headers: z.record(z.string(), z.string()),
  cookies: z.array(z.string()).optional(),
});
export type StoredAnswer = z.infer<typeof StoredAnswer>;

const KnownRequest = z.object({
  bodyHash: z.string(),
  lockedUntil: z.number(),
  /** A StoredAnswer as JSON, sealed with the client's key. */
  sealed: z.instanceof(Uint8Array).optional(),
});

export interface KeyedRequest {
  creatorId: string;
  /** Whether the caller has the operator's scope: operators and creators do not share answers. */
  operator: boolean;
  /** The client's Idempotency-Key. */
  key: string;
  /** Method and path: a key stands for one request. */
  target: string;
  body: unknown;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * Runs `work` once for a key and keeps its answer; the same key with the same request gets that answer again. A refusal changed nothing,
 * so the key is free again after it, as it is when the function dies at work.
 * @param mayReplay throws the refusal when the caller may no longer see what the answer is about
 */
export async function once(
  table: Table,
  request: KeyedRequest,
  work: () => Promise<StoredAnswer>,
  mayReplay: () => Promise<unknown>,
): Promise<StoredAnswer & { replayed: boolean }> {
  const key = apiKeys.idempotency(request.creatorId, hash(request.key));
  const bodyHash = hash(
    `${request.operator ? 'operator' : 'creator'}\n${request.target}\n${canonicalJson(request.body)}`,
  );
  const lockedUntil = request.now + LOCKED * 1000;
  const row = { ...key, type: 'idempotency', bodyHash, lockedUntil, expiresAt: Math.floor(request.now / 1000) + KEPT };
  if (!(await lock(table, row, request.now))) {
    const known = await getRow(table, key, KnownRequest);
    if (known !== null && known.bodyHash !== bodyHash) {
      throw new ApiError('key_reused', 'This Idempotency-Key was used for another request. Use a new one.');
    }
    if (known?.sealed) {
      await mayReplay();
      return { ...StoredAnswer.parse(JSON.parse(unseal(request.key, known.sealed))), replayed: true };
    }
    throw new ApiError('in_progress', 'The first request with this Idempotency-Key is still in progress.', {
      headers: { 'Retry-After': '2' },
    });
  }
  const ours = { TableName: table.name, ConditionExpression: 'lockedUntil = :ours' };
  const values = { ExpressionAttributeValues: { ':ours': lockedUntil } };
  try {
    const answer = await work();
    await table.client.send(
      new PutCommand({ ...ours, ...values, Item: { ...row, sealed: seal(request.key, JSON.stringify(answer)) } }),
    );
    return { ...answer, replayed: false };
  } catch (error) {
    await table.client.send(new DeleteCommand({ ...ours, ...values, Key: key })).catch(() => undefined);
    throw error;
  }
}

/** Takes the key when it is new, expired (TTL removes rows up to days late), or left behind without an answer. */
async function lock(table: Table, row: object, now: number): Promise<boolean> {
  try {
    await table.client.send(
      new PutCommand({
        TableName: table.name,
        Item: row,
        ConditionExpression:
          'attribute_not_exists(pk) OR expiresAt < :seconds OR (attribute_not_exists(sealed) AND lockedUntil < :now)',
        ExpressionAttributeValues: { ':seconds': Math.floor(now / 1000), ':now': now },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
