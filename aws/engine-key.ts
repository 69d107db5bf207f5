import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { apiKeys } from '../core/contracts/table/keys.ts';
import { apply, getRow, type Table } from './table.ts';

const EngineKeyRow = z.object({ key: z.base64() });

/**
 * The secret with which the engine of one job signs its calls, in the format of Standard Webhooks (`whsec_…`). It is derived from
 * one random key of the deployment, which is created on first use; the table is encrypted at rest.
 */
export async function callbackSecret(table: Table, jobId: string): Promise<string> {
  const key = await engineKey(table);
  return `whsec_${createHmac('sha256', key).update(`engine-callback:${jobId}`).digest('base64')}`;
}

/** What the address of a job's webhook has, for an endpoint that signs nothing. It opens nothing else. */
export async function hintToken(table: Table, jobId: string): Promise<string> {
  const key = await engineKey(table);
  return createHmac('sha256', key).update(`engine-hint:${jobId}`).digest('base64url');
}

async function engineKey(table: Table): Promise<Buffer> {
  const known = await getRow(table, apiKeys.engineKey, EngineKeyRow);
  if (known) return Buffer.from(known.key, 'base64');
  const row = { type: 'secret', key: randomBytes(32).toString('base64') };
  await apply(table, [{ op: 'put', key: apiKeys.engineKey, row }]);
  return engineKey(table);
}
