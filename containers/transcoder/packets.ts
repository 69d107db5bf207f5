import { JUMP_SECONDS } from '../../core/media/plan.ts';

/** Start and end of a track, computed from its packets as they arrive. All times are in seconds. */
export interface TrackTimes {
  /** Start of the first packet, in presentation order. */
  start: number;
  /** Start of the last packet, and its end: its start where it does not say how long it lasts. */
  last: number;
  end: number;
  /** How much later it may end: the last packet does not say how long it lasts, and none took longer. Infinity: it is the only one, or none says a time. */
  open: number;
  /** Number of packets. */
  count: number;
}

export interface Packet {
  track: number;
  /** NaN where the container has none. */
  pts: number;
  dts: number;
  duration: number;
  /** Whether the edit list leaves it out: it is decoded and not presented. */
  discarded: boolean;
  /** Whether it can be decoded without those before it; absent where nobody asks. */
  key?: boolean;
}

/** FFmpeg's own threshold: fftools/ffmpeg.c, process_input. */
const STEP_BACK_SECONDS = 0.1;
/** No audio packet is that long; FFmpeg 5.1 prints a day for one at the joint of two Ogg streams. */
const LONGEST_SECONDS = 10;
/** Reordered pictures step back in time without a joint: only this many packets are read for a track's start. */
const FIRST_PACKETS = 16;

/** What is known of a track so far. */
interface Known extends Omit<TrackTimes, 'open'> {
  /** When the next packet is expected. */
  next: number;
  step: number;
  isOpen: boolean;
  isTimed: boolean;
}

/** By how much a packet may follow the one before the last, if the time of the last is damaged. */
const NEAR_SECONDS = 1;

/**
 * Follows the clock of a file that may be joined from several. Where a time steps back or jumps, FFmpeg moves everything after it so that
 * the time goes on from there. This class does the same, so that the expected times are those of FFmpeg's output.
 */
export class PacketClock {
  readonly #mayJoin: boolean;
  readonly #tracks = new Map<number, Known>();
  /** Tracks as they were before the latest packet of each. */
  readonly #before = new Map<number, Known>();
  #offset = 0;
  joined = false;
  /** Whether a track's time steps back though the container's clock does not restart: what comes then is no later than what came before. */
  stepsBack = false;
  /** The longest time in seconds in which a track has no packet while another one goes on. */
  pause = 0;

  /** @param mayJoin whether the container's clock may restart. */
  constructor(mayJoin: boolean) {
    this.#mayJoin = mayJoin;
  }

  add({ track, pts, dts, duration, discarded }: Packet): void {
    if (discarded) return;
    const known = this.#mayJoin ? this.#tracks.get(track) : this.#withoutOutlier(track, dts);
    const isOpen = !(duration > 0);
    const isTimed = !isOpen || !Number.isNaN(dts) || !Number.isNaN(pts);
    // Raw streams have packets without times: each follows the one before.
    const decoded = [dts, pts].find((time) => !Number.isNaN(time)) ?? (known?.next ?? 0) - this.#offset;
    const lasts =
      Number.isNaN(duration) || duration < 0 || (this.#mayJoin && duration > LONGEST_SECONDS) ? 0 : duration;
    if (known && !this.#mayJoin && dts < known.next - STEP_BACK_SECONDS) this.stepsBack = true;
    if (known && this.#mayJoin) this.#follow(known.next, decoded + this.#offset);
    const begins = (Number.isNaN(pts) ? decoded : pts) + this.#offset;
    const next = decoded + this.#offset + lasts;
    const end = begins + lasts;
    if (!known) {
      this.#tracks.set(track, { start: begins, last: begins, end, next, step: 0, isOpen, isTimed, count: 1 });
      return;
    }
    if (!this.#mayJoin) this.#before.set(track, { ...known });
    known.next = Math.max(known.next, next);
    known.count += 1;
    known.isTimed ||= isTimed;
    known.step = Math.max(known.step, begins - known.last);
    if (begins >= known.last) known.isOpen = isOpen;
    if (known.count <= FIRST_PACKETS) known.start = Math.min(known.start, begins);
    known.last = Math.max(known.last, begins);
    known.end = Math.max(known.end, end);
  }

  /** The track without the times of its latest packet, where that one alone jumps ahead: it was stamped wrong, and counts as a packet. */
  #withoutOutlier(track: number, dts: number): Known | undefined {
    const [known, before] = [this.#tracks.get(track), this.#before.get(track)];
    if (!known || !before || !(dts < known.next - STEP_BACK_SECONDS)) return known;
    const apart = dts - before.next;
    if (apart < -STEP_BACK_SECONDS || apart > Math.max(NEAR_SECONDS, 2 * before.step)) return known;
    const kept = { ...before, count: known.count };
    this.#tracks.set(track, kept);
    return kept;
  }

  #follow(expected: number, time: number): void {
    const delta = time - expected;
    if (delta > -STEP_BACK_SECONDS && delta < JUMP_SECONDS) return;
    const furthest = Math.max(...[...this.#tracks.values()].map(({ next }) => next));
    if (delta > 0 && time - furthest < JUMP_SECONDS) {
      this.pause = Math.max(this.pause, delta);
      return;
    }
    this.#offset -= delta;
    this.joined = true;
  }

  /** Keyed by FFmpeg's index of the track; times are relative to `fileStart`. */
  tracks(fileStart: number): Map<number, TrackTimes> {
    const moved = [...this.#tracks].map(([track, times]): [number, TrackTimes] => {
      const { start, last, end, count, step, isOpen, isTimed } = times;
      const isUnknown = !isTimed || (isOpen && count === 1);
      const open = isUnknown ? Number.POSITIVE_INFINITY : isOpen ? step : 0;
      return [track, { start: start - fileStart, last: last - fileStart, end: end - fileStart, open, count }];
    });
    return new Map(moved);
  }
}
