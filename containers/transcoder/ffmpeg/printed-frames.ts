/** A frame that FFmpeg's filters `metadata` and `ametadata` have printed. */
export interface PrintedFrame {
  /** Its time in ticks of the filter's time base; undefined where it has none. */
  at: number | undefined;
  /** The value of its metadata. */
  value: number;
}

/** Reads what `mode=print` writes: a line with the frame's time, and one with its only value. */
export async function* printedFrames(output: AsyncIterable<Buffer | string>): AsyncGenerator<PrintedFrame> {
  let rest = '';
  let at: number | undefined;
  for await (const text of output) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('frame:')) {
        yield { at, value: Number.parseFloat(line.slice(line.indexOf('=') + 1)) };
        continue;
      }
      const ticks = Number.parseInt(/ pts:(-?\d+)/.exec(line)?.[1] ?? '', 10);
      at = Number.isNaN(ticks) ? undefined : ticks;
    }
  }
}
