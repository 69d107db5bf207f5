/** Sizes of pictures in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** As a viewer sees it: the sample aspect ratio stretches the width, then the picture is turned. */
export function displayedSize(coded: Size, sampleAspect: number, rotationDegrees: number): Size {
  const stretched = coded.width * sampleAspect;
  // A difference of less than a pixel is a rounding error of scaling, not a shape: 426 wide with 640:639.
  const width = Math.abs(stretched - coded.width) < 1 ? coded.width : Math.max(1, Math.round(stretched));
  const turned = Math.abs(Math.round(rotationDegrees / 90)) % 2 === 1;
  return turned ? { width: coded.height, height: width } : { width, height: coded.height };
}

export function shortSide(size: Size): number {
  return Math.min(size.width, size.height);
}

export function longSide(size: Size): number {
  return Math.max(size.width, size.height);
}

/** Even, as 4:2:0 chroma requires; at least 2. A size that is not scaled loses an odd line instead of gaining one. */
export function evenSize(size: Size): Size {
  const even = (n: number) => Math.max(2, Math.floor(n / 2) * 2);
  return { width: even(size.width), height: even(size.height) };
}

/** Scaled down so that the long side is at most `to`. */
export function withLongSideAtMost(size: Size, to: number): Size {
  return scaledBy(size, to / longSide(size));
}

/** Scaled down so that the width is at most `to`. */
export function withWidthAtMost(size: Size, to: number): Size {
  return scaledBy(size, to / size.width);
}

/** Scaled by a factor, with the aspect kept to the nearest even number. Never larger than the source. */
export function scaledBy(size: Size, factor: number): Size {
  const whole = evenSize(size);
  if (factor >= 1) return whole;
  const even = (n: number, limit: number) => Math.min(limit, Math.max(2, Math.round((n * factor) / 2) * 2));
  return { width: even(size.width, whole.width), height: even(size.height, whole.height) };
}
