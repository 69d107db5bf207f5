import type { ArchivePolicyRow } from '../contracts/table/archive.ts';
import type { CollectionRow } from '../contracts/table/collections.ts';
import type { MediaRow } from '../contracts/table/media.ts';
import type { EndpointRow } from '../contracts/table/webhooks.ts';

/** Attributes that record sweep's work with a row, and its progress. */
const NOTES = new Set(['todo', 'todoAt', 'flagCursor', 'flaggedFor', 'flaggedByRollOut']);

type ArchiveSettings = Pick<ArchivePolicyRow, 'enabled' | 'policy'>;

/** A strong validator of all that clients may change and of all that makes a change pointless: state and settings, not progress. */
export async function etagOf(row: MediaRow | CollectionRow | EndpointRow | ArchiveSettings): Promise<string> {
  const rest = Object.fromEntries(Object.entries(row).filter(([name]) => !NOTES.has(name)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(rest)));
  const hex = [...new Uint8Array(digest.slice(0, 12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `"${hex}"`;
}

/** Whether If-Match allows a change of this version. An absent header does. */
export function matches(ifMatch: string | null | undefined, etag: string): boolean {
  if (ifMatch === null || ifMatch === undefined || ifMatch.trim() === '*') return true;
  return ifMatch.split(',').some((candidate) => candidate.trim() === etag);
}

/** JSON with sorted keys: the same value gives the same text, in whatever order it was built. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value);
}
