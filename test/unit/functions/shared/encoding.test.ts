import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { CollectionRow } from '../../../../core/contracts/table/collections.ts';
import { newCollection } from '../../../../core/jobs/transitions.ts';
import { engineOf, presetOf } from '../../../../functions/shared/encoding.ts';
import { job } from '../../../support/factories.ts';

const location = { creatorId: 'ann', collectionId: 'talks', path: '' };
const row = CollectionRow.parse(newCollection(location, '2026-11-21T12:00:00.000Z').row);

describe('the engine of a media item', () => {
  it.each([
    ['the one that its upload asked for', { ...row, engine: 'tape' }, { engine: 'paper' }, 'paper'],
    ["its collection's, where the upload asked for none", { ...row, engine: 'tape' }, {}, 'tape'],
    ["the deployment's choice, where neither names one", row, {}, 'auto'],
    ["the deployment's choice, where there is neither row", null, null, 'auto'],
  ])('is %s', (_, collection, media, engine) => {
    expect(engineOf(collection, media)).toBe(engine);
  });
});

describe('the preset of a job', () => {
  const standard = PRESETS.standard ?? expect.fail();
  const { name: _name, version: _version, ...content } = { ...standard, crf: 30 };

  it.each([
    [
      'says what it said when the job was made',
      { preset: { name: 'standard', version: 2 }, content },
      { version: 2, crf: 30 },
    ],
    [
      'of a row from before that was kept is the built-in one',
      { preset: { name: 'compact', version: 1 } },
      PRESETS.compact,
    ],
    ['is the default one where there is none of its name', { preset: { name: 'gone', version: 1 } }, standard],
    [
      'is the default one where its name is that of a property',
      { preset: { name: 'constructor', version: 1 } },
      standard,
    ],
  ])('%s', (_, more, preset) => {
    expect(presetOf(job(more))).toMatchObject(preset ?? expect.fail());
  });
});
