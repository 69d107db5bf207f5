/** How much of FFmpeg's output is kept for the log, in characters. */
const TAIL = 4000;
/** The longest sentence that is shown to people, in characters. */
const SENTENCE = 200;

/** The end of a text. */
export function cut(text: string): string {
  return text.length <= TAIL ? text : `…${text.slice(-TAIL)}`;
}

/** The memory address of the FFmpeg component that prints a line: `[h264 @ 0x55e89b7d3d00]`. */
const ADDRESS = / @ 0x[0-9a-f]{1,16}\]/g;
/** The mark that `-v level+…` puts on each line. */
const LEVEL = /\[(?:panic|fatal|error|warning)\] /g;

/** FFmpeg's messages without addresses and marks. */
export function plain(text: string): string {
  return text.replace(ADDRESS, ']').replace(LEVEL, '');
}

/** A line without the name of the component that prints it. */
function sentenceOf(line: string): string {
  let rest = plain(line).trim();
  while (rest.startsWith('[') && rest.includes('] ')) rest = rest.slice(rest.indexOf('] ') + 2);
  return rest.slice(0, SENTENCE);
}

/** Collects FFmpeg's stderr, which can be endless: the first error, because the later ones follow from it, and the last lines. */
export class Complaints {
  #first: string | undefined;
  #line = '';
  /** The end of the output, with addresses: for the log and for classifying the failure. */
  tail = '';

  add(text: string): void {
    this.tail = cut(this.tail + text);
    if (this.#first !== undefined) return;
    const lines = (this.#line + text).split('\n');
    // A line without an end is not a sentence.
    this.#line = (lines.pop() ?? '').slice(0, TAIL);
    const fault = lines.find((line) => line.includes('[error] ') || line.includes('[fatal] '));
    if (fault !== undefined) this.#first = sentenceOf(fault);
  }

  /** The first error; undefined when there was none, whatever the warnings. */
  get fault(): string | undefined {
    return this.#first;
  }

  /** One sentence for people: the first error, else the last line. */
  get sentence(): string {
    return this.#first ?? sentenceOf(this.tail.trim().split('\n').at(-1) ?? '');
  }
}
