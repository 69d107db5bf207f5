import { describe, expect, it } from 'vitest';
import { CollectionRow } from '../../../../core/contracts/table/collections.ts';
import { newCollection } from '../../../../core/jobs/transitions.ts';
import { encodingOf } from '../../../../functions/shared/encoding.ts';

const location = { creatorId: 'ann', collectionId: 'talks', path: '' };
const row = CollectionRow.parse(newCollection(location, '2026-11-21T12:00:00.000Z').row);

describe('the engine of a media item', () => {
  it.each([
    ['the one that its upload asked for', { ...row, engine: 'tape' }, { engine: 'paper' }, 'paper'],
    ["its collection's, where the upload asked for none", { ...row, engine: 'tape' }, {}, 'tape'],
    ["the deployment's choice, where neither names one", row, {}, 'auto'],
    ["the deployment's choice, where there is neither row", null, null, 'auto'],
  ])('is %s', (_, collection, media, engine) => {
    expect(encodingOf(collection, media)).toMatchObject({ engine, preset: { name: 'standard' } });
  });
});
