import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { accessTo } from '../../core/api/views.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../demo/clients.ts';
import type { LogOptions } from './log.ts';

/** The player's address of a media item; how to play one that is private. */
export function playerOf(cloud: Cloud, deliveryUrl: string): LogOptions['placeOf'] {
  const { table } = developerClients(cloud);
  return async ({ mediaId, creatorId }) => {
    const key = { TableName: cloud.outputs.Table, Key: rowKeys.media(mediaId) };
    const { Item } = await table.send(new GetCommand(key)).catch(() => ({ Item: undefined }));
    const { current } = MediaRow.safeParse(Item).data ?? {};
    if (current && accessTo(current) === 'private') return `private: npm run dropreel -- open ${mediaId}`;
    return `${deliveryUrl}/player/?${new URLSearchParams({ creator: creatorId, media: mediaId })}`;
  };
}
