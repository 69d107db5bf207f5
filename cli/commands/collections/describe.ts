import { framers } from '../../../core/contracts/embed.ts';
import type { CollectionView } from '../../../core/contracts/http/collections.ts';
import { fields } from '../../table.ts';

export function describeCollection(collection: CollectionView): string {
  return fields([
    ['id', collection.id],
    ['title', collection.title],
    ['preset', collection.preset],
    ['engine', collection.engine],
    ['playback', collection.playback],
    ['embedded by', embedders(collection)],
    ['delete original', collection.deleteOriginal ? 'yes' : 'no'],
    ['from output', collection.retranscodeFromOutput ? 'yes' : 'no'],
    ['deadline', collection.deadlineMinutes === null ? 'none' : `${collection.deadlineMinutes} min`],
    ['cap', collection.maxUsdPerMonth === null ? 'none' : `${collection.maxUsdPerMonth} USD a month`],
    ['flagged', collection.scheduleRetranscode ? 'yes' : 'no'],
  ]);
}

function embedders({ embedOrigins, playback }: CollectionView): string {
  const sites = framers(playback, embedOrigins);
  return sites.length === 0 ? 'no site' : sites.map((site) => (site === '*' ? 'any site' : site)).join(', ');
}
