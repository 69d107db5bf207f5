import type { MediaRow } from '../contracts/table/media.ts';

/** Letters as people compare them: without case, accents and the forms of one character. */
const folded = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/**
 * Whether each word of the search is in the title, the file's name or a tag.
 * @param words as typed, separated by spaces
 */
export function isFound(
  { title, tags = [], source }: Pick<MediaRow, 'title' | 'tags' | 'source'>,
  words: string,
): boolean {
  const text = folded([title, source.key.split('/').at(-1) ?? '', ...tags].join('\n'));
  return folded(words)
    .split(/\s+/)
    .every((word) => text.includes(word));
}
