import type { Quality } from '../contracts/archive.ts';

/** Of identical pictures it is infinite: as good as needed, and finite so that a mean has a meaning. */
const MOST_DB = 100;

/** What FFmpeg's filters print of each picture: libavfilter/vf_ssim.c, vf_psnr.c. All planes count: damage can be in the colours alone. */
export function pictureValue(line: string): { ssim: number } | { psnr: number } | undefined {
  const ssim = Number.parseFloat(/ All:([\d.]+)/.exec(line)?.[1] ?? '');
  if (Number.isFinite(ssim)) return { ssim };
  const psnr = / psnr_avg:([\d.]+|inf)/.exec(line)?.[1];
  if (psnr === undefined) return undefined;
  return { psnr: psnr === 'inf' ? MOST_DB : Math.min(MOST_DB, Number.parseFloat(psnr)) };
}

/** Sums up what is measured of the pictures, as it comes. */
export class QualityFold {
  readonly #ssim: number[] = [];
  readonly #seconds = new Map<number, { sum: number; count: number }>();
  #psnr = { sum: 0, count: 0 };

  /** Pictures so far. */
  get count(): number {
    return this.#ssim.length;
  }

  /** @param at when the picture is shown, in seconds */
  addSsim(value: number, at: number): void {
    const second = Math.floor(at);
    const known = this.#seconds.get(second) ?? { sum: 0, count: 0 };
    this.#seconds.set(second, { sum: known.sum + value, count: known.count + 1 });
    this.#ssim.push(value);
  }

  addPsnr(value: number): void {
    this.#psnr = { sum: this.#psnr.sum + value, count: this.#psnr.count + 1 };
  }

  /** @throws Error when there were no pictures */
  result(): Quality {
    const sorted = Float64Array.from(this.#ssim).sort();
    const [worstPicture, median] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
    if (worstPicture === undefined || median === undefined) throw new Error('No picture was compared.');
    let worst = { at: 0, value: Number.POSITIVE_INFINITY };
    for (const [at, { sum, count }] of this.#seconds) if (sum / count < worst.value) worst = { at, value: sum / count };
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    const psnr = this.#psnr.sum / this.#psnr.count;
    return { mean, worstSecond: worst.value, worstAt: worst.at, worstPicture, median, psnr };
  }
}
