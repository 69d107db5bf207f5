export interface MeasuredSegment {
  bytes: number;
  durationSeconds: number;
}

export interface Bandwidth {
  /** Bits per second. */
  peak: number;
  average: number;
}

/**
 * BANDWIDTH and AVERAGE-BANDWIDTH of a media playlist.
 * @param target its EXT-X-TARGETDURATION, in seconds
 */
export function measureBandwidth(segments: readonly MeasuredSegment[], target: number): Bandwidth {
  const bytes = sum(segments.map((segment) => segment.bytes));
  const seconds = sum(segments.map((segment) => segment.durationSeconds));
  const average = seconds > 0 ? Math.ceil((bytes * 8) / seconds) : 0;
  return { peak: Math.max(average, Math.ceil(peakOf(segments, target) ?? 0)), average };
}

/**
 * Bits per second of the densest run of segments that lasts between half and one and a half target durations (RFC 8216, section 4.1), so that
 * a last segment of a few frames does not count alone; null where no run does.
 */
export function peakOf(segments: readonly MeasuredSegment[], target: number): number | null {
  let peak: number | null = null;
  for (let from = 0; from < segments.length; from++) {
    let bytes = 0;
    let seconds = 0;
    for (let i = from; i < segments.length; i++) {
      const segment = segments[i] as MeasuredSegment;
      bytes += segment.bytes;
      seconds += segment.durationSeconds;
      if (seconds > target * 1.5) break;
      if (seconds >= target * 0.5) peak = Math.max(peak ?? 0, (bytes * 8) / seconds);
    }
  }
  return peak;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
