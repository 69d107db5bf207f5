import type { ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { compareKeys } from './key-index.ts';
import { contextOf, question } from './list.ts';
import { invalidArgument, type ObjectVersion, xmlTime } from './model.ts';
import { storageClassOf } from './storage-class.ts';
import { xmlResponse } from './xml.ts';

/** A line of the list: a version, or a prefix common to several keys. */
type Line = { version: ObjectVersion; latest: boolean } | { folded: string };

/** By key, the newest first, starting after the markers. */
function* linesOf(
  call: S3Call,
  {
    prefix,
    delimiter,
    keyMarker,
    idMarker,
  }: { prefix: string; delimiter: string; keyMarker: string; idMarker: string },
): Generator<Line> {
  let before = '';
  for (const [key, versions] of call.store.bucket(call.bucket).keys.from(prefix)) {
    if (!key.startsWith(prefix)) return;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end >= 0) {
      const folded = key.slice(0, end + delimiter.length);
      if (folded !== before && compareKeys(folded, keyMarker) > 0) yield { folded };
      before = folded;
      continue;
    }
    const order = compareKeys(key, keyMarker);
    if (order < 0 || (order === 0 && idMarker === '' && keyMarker !== '')) continue;
    const newestFirst = versions.toReversed();
    const from = order === 0 ? newestFirst.findIndex(({ versionId }) => versionId === idMarker) + 1 : 0;
    for (const [i, version] of newestFirst.entries()) if (i >= from) yield { version, latest: i === 0 };
  }
}

export async function listObjectVersions(call: S3Call): Promise<ServiceResponse> {
  const asked = question(call);
  const { prefix, delimiter, encoding, encode, limit } = asked;
  call.authorize('s3:ListBucketVersions', undefined, contextOf(asked));
  const keyMarker = call.request.query.get('key-marker') ?? '';
  const idMarker = call.request.query.get('version-id-marker') ?? '';
  if (idMarker !== '' && keyMarker === '') {
    throw invalidArgument('A version-id marker cannot be specified without a key marker.');
  }
  const shown: Line[] = [];
  let truncated = false;
  for (const line of linesOf(call, { prefix, delimiter, keyMarker, idMarker })) {
    truncated = shown.length === limit;
    if (truncated) break;
    shown.push(line);
  }
  const last = shown.at(-1);
  const next =
    last && ('folded' in last ? { key: last.folded } : { key: last.version.key, id: last.version.versionId });
  const versions = shown.flatMap((line) => ('folded' in line ? [] : [line]));
  const describe = ({ version, latest }: (typeof versions)[number]) => ({
    Key: encode(version.key),
    VersionId: version.versionId,
    IsLatest: latest,
    LastModified: xmlTime(version.modified),
    ...(!version.deleteMarker && {
      ETag: `"${version.etag}"`,
      Size: version.size,
      StorageClass: storageClassOf(version),
    }),
  });
  return xmlResponse('ListVersionsResult', {
    Name: call.bucket,
    Prefix: encode(prefix),
    KeyMarker: encode(keyMarker),
    VersionIdMarker: idMarker,
    ...(delimiter !== '' && { Delimiter: encode(delimiter) }),
    ...(encoding !== undefined && { EncodingType: encoding }),
    MaxKeys: limit,
    IsTruncated: truncated && limit > 0,
    ...(truncated && next && { NextKeyMarker: encode(next.key), NextVersionIdMarker: next.id }),
    Version: versions.filter(({ version }) => !version.deleteMarker).map(describe),
    DeleteMarker: versions.filter(({ version }) => version.deleteMarker).map(describe),
    CommonPrefixes: shown.flatMap((line) => ('folded' in line ? [{ Prefix: encode(line.folded) }] : [])),
  });
}
