import { type Command, Option } from 'commander';
import { itemsOf } from '../../client/pages.ts';
import type { MediaView } from '../../core/contracts/http/media.ts';
import { MediaState } from '../../core/contracts/table/media.ts';
import { contextOf } from '../context.ts';
import { time, wholeNumber } from '../options.ts';
import { table } from '../table.ts';
import { bytes, duration } from '../units.ts';

interface Options {
  collection?: string;
  state?: MediaState;
  creator?: string;
  from?: string;
  to?: string;
  limit: number;
  all?: boolean;
}

const PAGE = 100;

export function addLs(program: Command): void {
  program
    .command('ls')
    .alias('list')
    .description('list media, newest first')
    .option('-c, --collection <id>')
    .addOption(new Option('-s, --state <state>').choices(MediaState.options))
    .option('--creator <id>', 'for operators')
    .option('--from <time>', 'created at or after, ISO 8601; a date alone is its midnight, UTC', time)
    .option('--to <time>', 'created before', time)
    .option('-n, --limit <n>', 'how many', wholeNumber(1, Number.MAX_SAFE_INTEGER), 50)
    .option('--all', 'every one')
    .action(async (options: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const { collection: collectionId, creator: creatorId, state, from, to } = options;
      const wanted = options.all ? Number.POSITIVE_INFINITY : options.limit;
      const query = { collectionId, creatorId, state, from, to, limit: Math.min(wanted, PAGE) };
      const items: MediaView[] = [];
      for await (const media of itemsOf(api, 'listMedia', { query })) {
        items.push(media);
        if (items.length === wanted) break;
      }
      out.result(items, () => listed(items));
    });
}

function listed(items: MediaView[]): string {
  // An operator's list may have media of several creators.
  const several = new Set(items.map(({ creatorId }) => creatorId)).size > 1;
  return table(
    ['ID', 'STATE', 'DURATION', 'SIZE', ...(several ? ['CREATOR'] : []), 'COLLECTION', 'CREATED', 'TITLE'],
    items.map((media) => [
      media.id,
      media.state,
      duration(media.source.durationSeconds),
      bytes(media.source.size),
      ...(several ? [media.creatorId] : []),
      media.collectionId,
      media.createdAt,
      media.title,
    ]),
  );
}
