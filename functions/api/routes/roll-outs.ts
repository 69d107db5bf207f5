import { apply, getRow } from '../../../aws/table.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { rollOutView } from '../../../core/api/preset-view.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { isBuiltIn, PRESETS } from '../../../core/contracts/presets.ts';
import { rowKeys } from '../../../core/contracts/table/keys.ts';
import { PresetRow, RollOutRow } from '../../../core/contracts/table/presets.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { order, startRollOut } from '../../../core/jobs/roll-out.ts';
import { type ApiServices, type Routes, viewSettings } from '../call.ts';
import { loadCollection } from '../load.ts';

type Ids = 'rollOutPreset' | 'getRollOut' | 'orderRollOut';

/** The steps are sweep's; a person begins them, and decides after the sample. */
export const rollOutRoutes: Routes<Ids> = {
  async rollOutPreset(call, services) {
    const { caller, params, query, body, now } = call;
    const creatorId = creatorFor(caller, query.creatorId);
    const own = await getRow(services.table, rowKeys.preset(creatorId, params.name), PresetRow);
    const preset = isBuiltIn(params.name) ? PRESETS[params.name] : own;
    if (!preset) throw notFound('preset');
    const { version } = preset;
    const { collectionId, samplePercent } = body;
    if (collectionId !== undefined) {
      const collection = await loadCollection(services, { caller, params: { id: collectionId }, query });
      if (collection.preset !== params.name) {
        const message = `${collectionId} was given, whose preset is ${collection.preset}; allowed is a collection with ${params.name}.`;
        throw new ApiError('invalid_request', message, { errors: [{ path: 'body.collectionId', message }] });
      }
    }
    const before = await getRow(services.table, rowKeys.rollOut(creatorId, params.name), RollOutRow);
    const asked = {
      creatorId,
      name: params.name,
      version,
      samplePercent,
      ...(collectionId !== undefined && { collectionId }),
    };
    return made(services, startRollOut(before, asked, now), call);
  },

  async getRollOut(call, services) {
    return { body: rollOutView(await load(call, services), viewSettings(call, services).deliveryUrl) };
  },

  async orderRollOut(call, services) {
    return made(services, order(await load(call, services), call.params.order, call.now), call);
  },
};

async function load(
  { caller, params, query }: Pick<Parameters<(typeof rollOutRoutes)['getRollOut']>[0], 'caller' | 'params' | 'query'>,
  { table }: ApiServices,
): Promise<RollOutRow> {
  const row = await getRow(table, rowKeys.rollOut(creatorFor(caller, query.creatorId), params.name), RollOutRow);
  if (!row) throw notFound('roll-out');
  return row;
}

async function made(services: ApiServices, outcome: Outcome<{ row: RollOutRow }>, call: { now: string }) {
  if ('refused' in outcome) throw new ApiError('wrong_state', `Not possible with the roll-out: ${outcome.refused}.`);
  if ((await apply(services.table, outcome.change)) === 'lost') {
    throw new ApiError('conflict', 'The roll-out took a step at the same moment.');
  }
  return { body: rollOutView(outcome.row, viewSettings(call, services).deliveryUrl) };
}
