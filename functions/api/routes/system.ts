import { z } from 'zod';
import { eachLimit } from '../../../aws/concurrency.ts';
import { queryAll } from '../../../aws/pages.ts';
import { getRow } from '../../../aws/table.ts';
import { within } from '../../../aws/table-expressions.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { costsFrom } from '../../../core/api/costs.ts';
import { openApi } from '../../../core/api/openapi.ts';
import { statsFrom } from '../../../core/api/stats.ts';
import { CostRow } from '../../../core/contracts/table/costs.ts';
import { apiKeys } from '../../../core/contracts/table/keys.ts';
import { plus } from '../../../core/time.ts';
import type { Routes } from '../call.ts';
import { engineCallback } from '../engine-callback.ts';
import { estimate } from '../estimate.ts';
import { getHealth } from '../health.ts';
import { listEngines } from '../list-engines.ts';
import { listJobsUnderWay } from '../under-way.ts';

/** Made at the first request because it takes some 50 ms. */
let document: ReturnType<typeof openApi> | undefined;

/** Days that are read at the same time. */
const AT_ONCE = 10;

const Counts = z.record(z.string(), z.unknown());

export const systemRoutes: Routes<
  | 'getOpenApi'
  | 'getMe'
  | 'getStats'
  | 'getCosts'
  | 'estimate'
  | 'getHealth'
  | 'listJobsUnderWay'
  | 'listEngines'
  | 'engineCallback'
> = {
  estimate,
  getHealth,
  listJobsUnderWay,
  listEngines,
  engineCallback,

  async getOpenApi() {
    document ??= openApi();
    return { body: document, headers: { 'Cache-Control': 'public, max-age=300' } };
  },

  async getMe({ caller: { creatorId, operator } }) {
    return { body: { creatorId, operator } };
  },

  async getCosts({ caller, query, now }, { table }) {
    const creatorId =
      caller.operator && query.creatorId === undefined ? undefined : creatorFor(caller, query.creatorId);
    const days = Array.from({ length: query.days }, (_, i) => plus(now, { days: -i }).slice(0, 10));
    const found = new Map<string, CostRow[]>();
    await eachLimit(days, AT_ONCE, async (day) => {
      const all = {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': apiKeys.costsOfDay(day).pk },
      };
      const asked = creatorId === undefined ? all : within(apiKeys.costs(day, creatorId));
      found.set(day, await queryAll(table, CostRow, asked));
    });
    return { body: costsFrom(days.map((day) => [day, found.get(day) ?? []])) };
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
