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
 * BANDWIDTH and AVERAGE-BANDWIDTH of a media playlist. The peak is that of any run of segments that lasts between half and one
 * and a half target durations (RFC 8216, section 4.1), so that a last segment of a few frames does not count alone.
 */
export function measureBandwidth(segments: readonly MeasuredSegment[]): Bandwidth {
  const bytes = sum(segments.map((segment) => segment.bytes));
  const seconds = sum(segments.map((segment) => segment.durationSeconds));
  const target = Math.max(0, ...segments.map((segment) => Math.round(segment.durationSeconds)));
  const average = seconds > 0 ? Math.ceil((bytes * 8) / seconds) : 0;
  let peak = average;
  segments.forEach((_, from) => {
    let runBytes = 0;
    let runSeconds = 0;
    for (const segment of segments.slice(from, from + 8)) {
      runBytes += segment.bytes;
      runSeconds += segment.durationSeconds;
      if (runSeconds > target * 1.5) break;
      if (runSeconds >= target * 0.5) peak = Math.max(peak, Math.ceil((runBytes * 8) / runSeconds));
    }
  });
  return { peak, average };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
