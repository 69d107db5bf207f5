import { isRecord, type Json } from '../../template/json.ts';
import type { TableConfiguration } from './template.ts';

/** The database has another account and region; answers have those of the template. */

/** A table's description with the template's ARNs. */
export function ownDescription(description: Json, { arn, streamArn }: TableConfiguration): Json {
  const indexes = Array.isArray(description.GlobalSecondaryIndexes)
    ? { GlobalSecondaryIndexes: description.GlobalSecondaryIndexes.map((it) => ownIndex(it, arn)) }
    : {};
  const stream =
    description.LatestStreamArn === undefined
      ? {}
      : { LatestStreamArn: streamArn, LatestStreamLabel: labelOf(streamArn) };
  return { ...description, TableArn: arn, ...indexes, ...stream };
}

function ownIndex(index: unknown, tableArn: string): unknown {
  return isRecord(index) ? { ...index, IndexArn: `${tableArn}/index/${String(index.IndexName)}` } : index;
}

export function labelOf(streamArn: string): string {
  return streamArn.slice(streamArn.indexOf('/stream/') + '/stream/'.length);
}

/** Replaces table names in a batch's answer by the ARNs that the caller used. */
export function withAliases(output: Json, aliases: ReadonlyMap<string, string>): Json {
  const result = { ...output };
  for (const field of ['Responses', 'UnprocessedKeys', 'UnprocessedItems', 'ItemCollectionMetrics']) {
    const tables = output[field];
    if (!isRecord(tables)) continue;
    result[field] = Object.fromEntries(Object.entries(tables).map(([name, it]) => [aliases.get(name) ?? name, it]));
  }
  return result;
}
