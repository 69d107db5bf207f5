import type { ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { compareKeys } from './key-index.ts';
import { invalidArgument, LIMITS, type ObjectVersion, xmlTime } from './model.ts';
import { storageClassOf } from './storage-class.ts';
import { xmlResponse } from './xml.ts';

interface Listing<Item> {
  items: Item[];
  prefixes: string[];
  /** The last key or prefix on this page; set when there are more. */
  next: string | undefined;
}

function limitOf(call: S3Call): number {
  const text = call.request.query.get('max-keys') ?? String(LIMITS.listed);
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 0) {
    throw invalidArgument('Provided max-keys not an integer or within integer range', {
      ArgumentName: 'max-keys',
      ArgumentValue: text,
    });
  }
  return Math.min(limit, LIMITS.listed);
}

/** Keys after `after`, grouped at the delimiter; `take` converts a key's versions to items, none to skip the key. */
function walk<Item>(
  call: S3Call,
  { prefix, delimiter, after, limit }: { prefix: string; delimiter: string; after: string; limit: number },
  take: (key: string, versions: ObjectVersion[]) => Item[],
): Listing<Item> {
  const items: Item[] = [];
  const prefixes: string[] = [];
  let last = '';
  const start = compareKeys(after, prefix) > 0 ? after : prefix;
  for (const [key, versions] of call.store.bucket(call.bucket).keys.from(start)) {
    if (!key.startsWith(prefix)) {
      if (compareKeys(key, prefix) > 0) break;
      continue;
    }
    if (after !== '' && compareKeys(key, after) <= 0) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const folded = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    if (folded !== undefined && (prefixes.at(-1) === folded || (after !== '' && after.startsWith(folded)))) continue;
    const taken = take(key, versions);
    if (taken.length === 0) continue;
    if (items.length + prefixes.length >= limit) return { items, prefixes, next: limit === 0 ? undefined : last };
    if (folded !== undefined) prefixes.push(folded);
    else items.push(...taken);
    last = folded ?? key;
  }
  return { items, prefixes, next: undefined };
}

const present = (_: string, versions: ObjectVersion[]) => {
  const latest = versions.at(-1);
  return latest && !latest.deleteMarker ? [latest] : [];
};

const contentOf = (encode: (text: string) => string) => (version: ObjectVersion) => ({
  Key: encode(version.key),
  LastModified: xmlTime(version.modified),
  ETag: `"${version.etag}"`,
  ...(version.checksum && { ChecksumAlgorithm: version.checksum.algorithm, ChecksumType: version.checksum.type }),
  Size: version.size,
  StorageClass: storageClassOf(version),
});

/** Form encoding: a space is `+`; a slash is not escaped. */
const urlEncode = (text: string) =>
  encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

export function question(call: S3Call) {
  const { query } = call.request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const encoding = query.get('encoding-type') ?? undefined;
  if (encoding !== undefined && encoding !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request');
  const encode = (text: string) => (encoding === 'url' ? urlEncode(text) : text);
  const limit = limitOf(call);
  return { prefix, delimiter, encoding, encode, limit };
}

export const contextOf = ({ prefix, delimiter, limit }: ReturnType<typeof question>) => ({
  's3:prefix': prefix,
  's3:max-keys': String(limit),
  ...(delimiter !== '' && { 's3:delimiter': delimiter }),
});

export async function listObjectsV2(call: S3Call): Promise<ServiceResponse> {
  const { query } = call.request;
  const asked = question(call);
  const { prefix, delimiter, encoding, encode, limit } = asked;
  call.authorize('s3:ListBucket', undefined, contextOf(asked));
  const token = query.get('continuation-token') ?? undefined;
  const startAfter = query.get('start-after') ?? undefined;
  if (token === '')
    throw invalidArgument('The continuation token provided is incorrect', { ArgumentName: 'continuation-token' });
  const after = token === undefined ? (startAfter ?? '') : Buffer.from(token, 'base64url').toString('utf8');
  const { items, prefixes, next } = walk(call, { prefix, delimiter, after, limit }, present);
  return xmlResponse('ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(prefix),
    ...(delimiter !== '' && { Delimiter: encode(delimiter) }),
    ...(startAfter !== undefined && { StartAfter: encode(startAfter) }),
    ...(token !== undefined && { ContinuationToken: token }),
    ...(encoding !== undefined && { EncodingType: encoding }),
    KeyCount: items.length + prefixes.length,
    MaxKeys: limit,
    IsTruncated: next !== undefined,
    ...(next !== undefined && { NextContinuationToken: Buffer.from(next, 'utf8').toString('base64url') }),
    Contents: items.map(contentOf(encode)),
    CommonPrefixes: prefixes.map((Prefix) => ({ Prefix: encode(Prefix) })),
  });
}

export async function listObjects(call: S3Call): Promise<ServiceResponse> {
  const asked = question(call);
  const { prefix, delimiter, encoding, encode, limit } = asked;
  call.authorize('s3:ListBucket', undefined, contextOf(asked));
  const marker = call.request.query.get('marker') ?? '';
  const { items, prefixes, next } = walk(call, { prefix, delimiter, after: marker, limit }, present);
  return xmlResponse('ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(prefix),
    Marker: encode(marker),
    ...(delimiter !== '' && { Delimiter: encode(delimiter) }),
    ...(encoding !== undefined && { EncodingType: encoding }),
    MaxKeys: limit,
    IsTruncated: next !== undefined,
    ...(next !== undefined && delimiter !== '' && { NextMarker: encode(next) }),
    Contents: items.map(contentOf(encode)),
    CommonPrefixes: prefixes.map((Prefix) => ({ Prefix: encode(Prefix) })),
  });
}
