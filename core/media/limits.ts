/** What a source may be. Beyond these a file is refused before anything is decoded. */
export const LIMITS = {
  durationSeconds: 24 * 3600,
  /** Width or height, as coded. x264 takes no more. */
  side: 16_384,
  /** Pixels of a frame, as coded: DCI 8K (8192x4320) and 8K squares of a fisheye camera (7680x7680) pass. */
  pixels: 7680 * 7680,
  tracks: 64,
  /** Frames per second of the output; a faster source keeps every second, third… frame. */
  frameRate: 60,
} as const;
