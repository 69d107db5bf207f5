/** Above the limit by no more than this, a rate is kept: cameras that mean 60 are measured at 60.2, and half of their pictures would be lost. */
const TOLERATED = 0.5;

/** Of how many pictures one is kept: 120 a second become 60, and 100 become 50. Whole pictures are left out, and none is shown twice. */
export function oneOf(rate: number, most: number): number {
  return Math.max(1, Math.ceil(rate / (most + TOLERATED)));
}
