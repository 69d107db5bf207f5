import { z } from 'zod';
import { queryAll } from '../../../aws/pages.ts';
import { getRow } from '../../../aws/table.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { openApi } from '../../../core/api/openapi.ts';
import { statsFrom } from '../../../core/api/stats.ts';
import { apiKeys } from '../../../core/contracts/table/keys.ts';
import type { Routes } from '../call.ts';
import { engineCallback } from '../engine-callback.ts';
import { estimate } from '../estimate.ts';
import { getHealth } from '../health.ts';

/** Made at the first request because it takes some 50 ms. */
let document: ReturnType<typeof openApi> | undefined;

const Counts = z.record(z.string(), z.unknown());

export const systemRoutes: Routes<'getOpenApi' | 'getMe' | 'getStats' | 'estimate' | 'getHealth' | 'engineCallback'> = {
  estimate,
  getHealth,
  engineCallback,

  async getOpenApi() {
    document ??= openApi();
    return { body: document, headers: { 'Cache-Control': 'public, max-age=300' } };
  },

  async getMe({ caller: { creatorId, operator } }) {
    return { body: { creatorId, operator } };
  },

  async getStats({ caller, query }, { table }) {
    if (caller.operator && query.creatorId === undefined) {
      const all = await queryAll(table, Counts, {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': apiKeys.counts('').pk },
      });
      return { body: statsFrom(all) };
    }
    const creatorId = creatorFor(caller, query.creatorId);
    const counts = await getRow(table, apiKeys.counts(creatorId), Counts);
    return { body: statsFrom(counts ? [counts] : [], creatorId) };
  },
};
