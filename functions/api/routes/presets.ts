import { z } from 'zod';
import { eachLimit } from '../../../aws/concurrency.ts';
import { queryAll, queryPage } from '../../../aws/pages.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { within } from '../../../aws/table-expressions.ts';
import { queryMediaKeys } from '../../../aws/table-queries.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { canonicalJson, matches } from '../../../core/api/etag.ts';
import { builtInView, presetView } from '../../../core/api/preset-view.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import type { PresetUsers } from '../../../core/contracts/http/presets.ts';
import { contentFrom } from '../../../core/contracts/preset-settings.ts';
import { isBuiltIn, MOST_PRESET_VERSIONS, PRESETS, type Preset } from '../../../core/contracts/presets.ts';
import { rowKeys } from '../../../core/contracts/table/keys.ts';
import { PresetRow, PresetVersionRow } from '../../../core/contracts/table/presets.ts';
import { changePreset, removePreset } from '../../../core/jobs/presets.ts';
import { collectionsWith } from '../../shared/collections-with.ts';
import type { ApiServices, Routes } from '../call.ts';

type Ids = 'listPresets' | 'getPreset' | 'putPreset' | 'deletePreset';

/** Of one creator. */
const MOST_PRESETS = 100;
/** Collections that are named to whoever asks who uses a preset, and media of each that are counted. */
const MOST_NAMED = 50;
const MOST_COUNTED = 1000;
const AT_ONCE = 10;

const PresetCount = z.object({ versions: z.number().default(0) });

export const presetRoutes: Routes<Ids> = {
  async listPresets({ caller, query }, services) {
    const own = await presetsOf(services, creatorFor(caller, query.creatorId));
    return {
      body: {
        items: [...Object.values(PRESETS).map((preset) => builtInView(preset)), ...own.map((row) => presetView(row))],
      },
    };
  },

  async getPreset({ caller, params: { name }, query }, services) {
    const creatorId = creatorFor(caller, query.creatorId);
    const { version } = query;
    if (isBuiltIn(name)) {
      const preset = PRESETS[name] as Preset;
      if (version !== undefined && version !== preset.version) throw noVersion(name, version);
      return { body: builtInView(preset, await usersOf(services, creatorId, name)), headers: etag(preset.version) };
    }
    const row = await getRow(services.table, rowKeys.preset(creatorId, name), PresetRow);
    if (version !== undefined && version !== row?.version) {
      const kept = await getRow(services.table, rowKeys.presetVersion(creatorId, name, version), PresetVersionRow);
      if (!kept) throw noVersion(name, version);
      return { body: presetView(kept), headers: etag(version) };
    }
    if (!row) throw notFound('preset');
    return { body: presetView(row, await usersOf(services, creatorId, name)), headers: etag(row.version) };
  },

  async putPreset({ caller, params: { name }, query, body, headers, now }, services) {
    const creatorId = creatorFor(caller, query.creatorId);
    if (isBuiltIn(name)) throw readOnly(name);
    const before = await getRow(services.table, rowKeys.preset(creatorId, name), PresetRow);
    const content = contentFrom(body);
    // A request that is sent again, because its answer was lost, has done what it wants.
    if (before && canonicalJson(before.content) === canonicalJson(content)) {
      return { body: presetView(before), headers: etag(before.version) };
    }
    checkPreconditions(headers, before);
    if (before === null && (await presetsOf(services, creatorId)).length >= MOST_PRESETS) {
      throw new ApiError(
        'too_many_presets',
        `${creatorId} has ${MOST_PRESETS} presets, and no more are allowed. Delete one.`,
      );
    }
    const users = await usersOf(services, creatorId, name);
    if (query.confirm !== 'true' && users.collections.length > 0) {
      throw inUse(name, users, 'What is made from now on would change. Change it with confirm=true');
    }
    const last = before ?? (await lastVersion(services, creatorId, name));
    const { change, row } = changePreset(before, last?.version ?? 0, { creatorId, name, content, now });
    if ((await apply(services.table, change)) === 'lost') {
      const counted = await getRow(services.table, rowKeys.presetCount(creatorId), PresetCount);
      if ((counted?.versions ?? 0) >= MOST_PRESET_VERSIONS) throw tooManyVersions(creatorId);
      throw changedMeanwhile(name);
    }
    return { body: presetView(row, users), headers: etag(row.version) };
  },

  async deletePreset({ caller, params: { name }, query }, services) {
    const creatorId = creatorFor(caller, query.creatorId);
    if (isBuiltIn(name)) throw readOnly(name);
    const row = await getRow(services.table, rowKeys.preset(creatorId, name), PresetRow);
    if (!row) throw notFound('preset');
    const users = await usersOf(services, creatorId, name);
    if (users.collections.length > 0) throw inUse(name, users, 'Give them another preset first');
    if ((await apply(services.table, removePreset(row))) === 'lost') throw changedMeanwhile(name);
    return { body: null };
  },
};

/** The version alone: what a version of a name says never changes. */
function etag(version: number): Record<string, string> {
  return { ETag: `"${version}"` };
}

/** @throws ApiError precondition_failed */
function checkPreconditions(headers: Headers, before: PresetRow | null): void {
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
  const present = before ? `"${before.version}"` : null;
  const isWrong =
    (match !== null && (present === null || !matches(match, present))) ||
    (noneMatch !== null && present !== null && matches(noneMatch, present));
  if (!isWrong) return;
  const given = match === null ? `If-None-Match ${noneMatch}` : `If-Match ${match}`;
  throw new ApiError('precondition_failed', `${given} was given; the present version is ${present ?? 'none'}.`);
}

function presetsOf({ table }: ApiServices, creatorId: string): Promise<PresetRow[]> {
  return queryAll(table, PresetRow, { ...within(rowKeys.presets(creatorId)), ConsistentRead: true });
}

async function lastVersion(
  { table }: ApiServices,
  creatorId: string,
  name: string,
): Promise<PresetVersionRow | undefined> {
  const range = within(rowKeys.presetVersions(creatorId, name));
  const { items } = await queryPage(table, PresetVersionRow, {
    ...range,
    ...{ ScanIndexForward: false, Limit: 1, ConsistentRead: true },
  });
  return items[0];
}

/** The creator's collections that have this preset now, and how many media each has; the index of those lags. */
async function usersOf({ table }: ApiServices, creatorId: string, name: string): Promise<PresetUsers> {
  const rows = await collectionsWith(table, creatorId, name);
  const counted = new Map<string, { media: number; complete: boolean }>();
  await eachLimit(rows.slice(0, MOST_NAMED), AT_ONCE, async ({ collectionId }) => {
    const { items, next } = await queryMediaKeys(table, { creatorId, collectionId }, { limit: MOST_COUNTED });
    counted.set(collectionId, { media: items.length, complete: next === undefined });
  });
  const collections = rows
    .slice(0, MOST_NAMED)
    .map(({ collectionId: id }) => ({ id, media: 0, complete: false, ...counted.get(id) }));
  return { collections, more: rows.length - collections.length };
}

function inUse(name: string, { collections, more }: PresetUsers, what: string): ApiError {
  const errors = collections.map(({ id, media, complete }) => ({
    path: `collections.${id}`,
    message: `${complete ? '' : 'more than '}${media} media`,
  }));
  const many = collections.length + more;
  const list = collections
    .slice(0, 5)
    .map(({ id }) => id)
    .join(', ');
  const message = `${name} is the preset of ${many === 1 ? 'the collection' : `${many} collections:`} ${list}${many > 5 ? ' …' : ''}. ${what}.`;
  return new ApiError('preset_in_use', message, { errors });
}

function readOnly(name: string): ApiError {
  return new ApiError('read_only', `${name} is built in. Make a preset of another name, and give it to collections.`);
}

function tooManyVersions(creatorId: string): ApiError {
  const message = `${creatorId} has made ${MOST_PRESET_VERSIONS} versions of presets, which are all kept, and no more are allowed.`;
  return new ApiError('too_many_presets', message);
}

function changedMeanwhile(name: string): ApiError {
  return new ApiError('conflict', `${name} was changed, or given to a collection, at the same moment.`);
}

function noVersion(name: string, version: number): ApiError {
  return new ApiError('not_found', `There is no version ${version} of a preset ${name}.`);
}
