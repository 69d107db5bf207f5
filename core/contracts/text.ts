/** Untrusted text: read, and shown to people. */

/** Controls, formatting (including bidi overrides) and the separators that some programs treat as a new line. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** One line for a terminal, which obeys escape sequences: each invisible character becomes `�`. */
export function printableLine(text: string): string {
  return text.replace(UNPRINTABLE, '�');
}

/** The same for text of several lines: a line feed is kept. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, '�');
}

/** Characters that begin a new line, or move within one. */
const SPACING = /[\t-\r\x85\u2028\u2029]+/g;
/** Zero-width joiner and non-joiner are kept: scripts and emoji are written with them. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu;

/** A title as it is stored: one line, without invisible characters that change how the rest is read. */
export function plainTitle(text: string): string {
  return text.replace(SPACING, ' ').replace(UNSEEN, '').trim();
}

/** The title of a media item that was given none: its file's name without the extension, underscores as spaces. */
export function titleFrom(fileName: string): string {
  const name = plainTitle(fileName);
  const title = name
    .replace(/\.[A-Za-z0-9]{1,10}$/, '')
    .replaceAll('_', ' ')
    .trim();
  return title || name || 'untitled';
}

/** @returns undefined for text that is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
