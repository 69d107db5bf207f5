import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { ArchiveRow } from '../../core/contracts/table/archive.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { Cloud } from '../../local/boot.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { eventually } from './cloud.ts';
import { makeClip, readMedia, sweepNow } from './pipeline.ts';

/** At once, whatever the hour. */
export const AT_ONCE = { minAgeDays: 0, window: '00:00-00:00', maxConcurrent: 4 };

/** A recorder's stream: far more bytes than its pictures need. */
export function recording(path: string): Promise<string> {
  return makeClip(
    path,
    ...['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=1', '-f', 'lavfi', '-i', 'sine=duration=1'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '8', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'],
  );
}

export async function readArchive(cloud: Cloud, mediaId: string): Promise<ArchiveRow | undefined> {
  const Key = rowKeys.archive(mediaId);
  const { Item } = await developerClients(cloud).table.send(
    new GetCommand({ TableName: cloud.outputs.Table, Key, ConsistentRead: true }),
  );
  return Item ? ArchiveRow.parse(Item) : undefined;
}

/** Runs sweep until a media item's original is in that state, while workers work; time goes by where nothing does. */
export async function archivedUntil(cloud: Cloud, mediaId: string, state: ArchiveRow['state']): Promise<void> {
  const check = async () => {
    await sweepNow(cloud);
    if ((await readMedia(cloud, mediaId))?.archive?.state === state) return true;
    if (cloud.batch.running().length === 0) cloud.clock.advance(5 * 60_000);
    return false;
  };
  // An encode with its verification, on a machine that does other things as well.
  await eventually(`${mediaId} is ${state} in the archive`, check, 150_000);
}
