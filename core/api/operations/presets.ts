import { z } from 'zod';
import { PresetName } from '../../contracts/http/fields.ts';
import {
  OwnPresetName,
  PresetList,
  PresetRequest,
  PresetView,
  RollOutRequest,
  RollOutView,
} from '../../contracts/http/presets.ts';
import { op, owner } from '../operation.ts';

const named = z.object({ name: PresetName });

export const presetsOperations = {
  listPresets: op({
    method: 'GET',
    path: '/presets',
    tag: 'Presets',
    summary: "List the built-in presets and the creator's own",
    query: owner,
    status: 200,
    answer: PresetList,
  }),
  getPreset: op({
    method: 'GET',
    path: '/presets/{name}',
    tag: 'Presets',
    summary: 'Get a preset, and who uses it',
    params: named,
    /** An earlier version, which may be of a deleted preset. */
    query: owner.extend({ version: z.coerce.number().int().min(1).max(999_999).optional() }),
    status: 200,
    answer: PresetView,
    etag: true,
    problems: ['not_found'],
  }),
  putPreset: op({
    method: 'PUT',
    path: '/presets/{name}',
    tag: 'Presets',
    summary: 'Make a preset, or its next version',
    params: z.object({ name: OwnPresetName }),
    /** `true`: also where collections use it. */
    query: owner.extend({ confirm: z.enum(['true', 'false']).optional() }),
    body: PresetRequest,
    status: 200,
    answer: PresetView,
    etag: true,
    problems: ['read_only', 'preset_in_use', 'too_many_presets', 'conflict', 'precondition_failed'],
  }),
  deletePreset: op({
    method: 'DELETE',
    path: '/presets/{name}',
    tag: 'Presets',
    summary: 'Delete a preset that no collection uses; its versions can still be read',
    params: named,
    query: owner,
    status: 204,
    answer: null,
    problems: ['not_found', 'read_only', 'preset_in_use', 'conflict'],
  }),
  rollOutPreset: op({
    method: 'POST',
    path: '/presets/{name}/roll-out',
    tag: 'Presets',
    summary: 'Encode media again by the present version: a sample first',
    params: named,
    query: owner,
    body: RollOutRequest,
    status: 202,
    answer: RollOutView,
    problems: ['not_found', 'wrong_state', 'conflict'],
  }),
  getRollOut: op({
    method: 'GET',
    path: '/presets/{name}/roll-out',
    tag: 'Presets',
    summary: 'Get the last roll-out, with its report',
    params: named,
    query: owner,
    status: 200,
    answer: RollOutView,
    problems: ['not_found'],
  }),
  orderRollOut: op({
    method: 'POST',
    path: '/presets/{name}/roll-out/{order}',
    tag: 'Presets',
    summary: 'Let a roll-out go on, stop it, or put the versions before it back',
    params: named.extend({ order: z.enum(['go-on', 'stop', 'put-back']) }),
    query: owner,
    status: 202,
    answer: RollOutView,
    problems: ['not_found', 'wrong_state', 'conflict'],
  }),
};
