/** A frame that FFmpeg's filters `metadata` and `ametadata` have printed. */
export interface PrintedFrame {
  /** Its time in ticks of the filter's time base; undefined where it has none. */
  at: number | undefined;
  /** Name of its metadata. */
  key: string;
}

/** Reads what `mode=print` writes: a line with the frame's time, and one with its only metadata. */
export async function* printedFrames(output: AsyncIterable<Buffer | string>): AsyncGenerator<PrintedFrame> {
  let rest = '';
  let at: number | undefined;
  for await (const text of output) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('frame:')) {
        yield { at, key: line.slice(0, line.indexOf('=')) };
        continue;
      }
      const ticks = Number.parseInt(/ pts:(-?\d+)/.exec(line)?.[1] ?? '', 10);
      at = Number.isNaN(ticks) ? undefined : ticks;
    }
  }
}

/** Frames of sound, which are printed twice: as `time`, and as `samples` with their number in the place of the time. */
export async function* printedSound(
  output: AsyncIterable<Buffer | string>,
): AsyncGenerator<{ at: number | undefined; samples: number }> {
  const times: (number | undefined)[] = [];
  for await (const { at, key } of printedFrames(output)) {
    if (key === 'time') times.push(at);
    else yield { at: times.shift(), samples: at ?? 0 };
  }
}
