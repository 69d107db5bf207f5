/** The longest line that is looked at, in characters. */
const LINE = 4000;
/** What x264 says of a stream when it has ended. */
const SSIM = /\[info\] SSIM Mean Y:([01]\.\d{1,10}) /;

/** Its warnings that decisions for the eye lower the figure: those of every preset do, so that two can be compared. */
const OF_SSIM = ['--ssim used with ', '--tune ssim should be used '];

/** What an ffmpeg says at the level `info`, in which x264 tells the SSIM of what it has encoded: the rest is passed on. */
export class InfoReader {
  #line = '';
  /** Of the brightness, all pictures together: of the one stream that is measured. */
  ssim: number | undefined;

  /** What has come since the last whole line. */
  get rest(): string {
    return this.#line;
  }

  /** @returns the lines above that level, without those of the measurement */
  read(text: string): string {
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(0, LINE);
    const above = lines.filter((line) => !['[info] ', ...OF_SSIM].some((words) => line.includes(words)));
    for (const line of lines) {
      const said = SSIM.exec(line)?.[1];
      if (said !== undefined) this.ssim = Number(said);
    }
    return above.map((line) => `${line}\n`).join('');
  }
}
