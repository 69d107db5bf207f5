import { z } from 'zod';
import { CreatorId } from '../contracts/ids.ts';
import { ApiError } from './problem.ts';

/**
 * A cursor is base64url of the JSON of a position and of the filters that it belongs to. It is validated, not signed:
 * every partition key is taken from the request itself, so a forged position stays within what the caller may see anyway.
 */
export function encodeCursor(filters: string, position: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify({ f: filters, p: position }));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

export function decodeCursor<T>(cursor: string, filters: string, position: z.ZodType<T>): T {
  try {
    const binary = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(binary, (char) => char.charCodeAt(0)),
    );
    return z.object({ f: z.literal(filters), p: position }).parse(JSON.parse(text)).p;
  } catch (cause) {
    throw new ApiError('invalid_cursor', 'Start again without the cursor.', { cause });
  }
}

/** Where a page of media ends: a row's own keys; the keys of the index come from the request. `creatorId` for lists across creators. */
export const MediaPosition = z.object({
  /** Whether the list is ordered by time across creators, not by creator. */
  merged: z.literal(true).optional(),
  creatorId: CreatorId.optional(),
  at: z.object({ pk: z.string().max(200), sk: z.string().max(200), createdAt: z.iso.datetime() }).optional(),
});
export type MediaPosition = z.infer<typeof MediaPosition>;
