/** One report of `ffmpeg -progress`. */
export interface FfmpegProgress {
  /** Video frames encoded so far, of the first video output. */
  frames: number | undefined;
  /** Seconds of output so far. */
  seconds: number | undefined;
  /** Times real time. */
  speed: number | undefined;
}

/**
 * How far an encoder has come in its source, in seconds: by the pictures that it has written, of those that were decoded. FFmpeg 7 decodes
 * dozens ahead, which wait for the encoders; its own time of the encode is that of the output that is least far, the poster's until the end.
 * @param rate Of the encoder's pictures, where it is not the source's.
 */
export function encodedSeconds(
  frames: number,
  { count, last }: { count: number; last: number },
  rate: { num: number; den: number } | undefined,
): number {
  if (rate) return Math.min(last, (frames * rate.den) / rate.num);
  return count === 0 ? 0 : last * Math.min(1, frames / count);
}

/** Collects `key=value` lines; each block ends with a line `progress=…`. */
export class ProgressReader {
  #values = new Map<string, string>();
  #rest = '';

  /** The reports that this text completes. */
  read(text: string): FfmpegProgress[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    const reports: FfmpegProgress[] = [];
    for (const line of lines) {
      const at = line.indexOf('=');
      if (at < 0) continue;
      this.#values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
      if (line.startsWith('progress=')) reports.push(this.#report());
    }
    return reports;
  }

  #report(): FfmpegProgress {
    const micros = this.#number('out_time_us');
    return {
      frames: this.#number('frame'),
      seconds: micros === undefined ? undefined : Math.max(0, micros / 1e6),
      speed: this.#number('speed'),
    };
  }

  #number(key: string): number | undefined {
    const value = Number.parseFloat(this.#values.get(key) ?? '');
    return Number.isFinite(value) ? value : undefined;
  }
}
