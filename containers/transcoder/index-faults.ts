import type { EncodePlan } from '../../core/media/encode-plan.ts';
import { durationTolerance } from '../../core/media/verify.ts';
import type { Packet } from './packets.ts';
import { eachPacket, type Source } from './read-packets.ts';

/** Pictures are reordered within at most 16 frames (H.264, A.3.1; H.265, A.4.2), so two of one time are that close in the file. */
const REORDERED = 16;

/** A track as its packets present it. */
export class Presented {
  /** Seconds; undefined until a packet is presented. */
  end: number | undefined;
  /** Whether two packets are presented at one time, which an index must not say (ISO/IEC 14496-12, 8.6.1.3). */
  twice = false;
  readonly #recent: number[] = [];

  add({ pts, duration, discarded }: Packet): void {
    if (discarded || Number.isNaN(pts)) return;
    this.end = Math.max(this.end ?? Number.NEGATIVE_INFINITY, pts + (duration > 0 ? duration : 0));
    this.twice ||= this.#recent.includes(pts);
    this.#recent.push(pts);
    if (this.#recent.length > REORDERED) this.#recent.shift();
  }
}

/**
 * Why the index of a source is false, as its own packets show; undefined when they agree with it. Our output has no part in this, so a
 * fault of the encode is not blamed on the file.
 */
export async function indexFault(source: Source, { video, audio }: EncodePlan): Promise<string | undefined> {
  const pictures = new Presented();
  const sound = new Presented();
  const { fileStart } = await eachPacket(source, [], (packet) => {
    if (packet.track === video?.track) pictures.add(packet);
    if (packet.track === audio?.track) sound.add(packet);
  });
  return (
    (video &&
      (lengthFault('video', pictures, fileStart, video.endSeconds, frameSeconds(video)) ?? doubled(pictures))) ??
    (audio && lengthFault('sound', sound, fileStart, audio.endSeconds, 0))
  );
}

function frameSeconds({ frameRate }: NonNullable<EncodePlan['video']>): number {
  return frameRate ? frameRate.den / frameRate.num : 0;
}

function doubled({ twice }: Presented): string | undefined {
  return twice ? 'its index shows two pictures at one time.' : undefined;
}

// Twice what an output may differ: a last packet may be longer than what is presented of it.
function lengthFault(
  what: string,
  { end }: Presented,
  fileStart: number,
  announced: number,
  frame: number,
): string | undefined {
  if (end === undefined) return `its index shows nothing of the ${what}.`;
  const seconds = end - fileStart;
  if (Math.abs(seconds - announced) <= 2 * durationTolerance(frame)) return undefined;
  const [says, holds] = [announced, seconds].map((value) => value.toFixed(3));
  return `its index says that the ${what} ends at ${says} s, and the media that it names ends at ${holds} s.`;
}
