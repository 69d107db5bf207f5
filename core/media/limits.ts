/** Limits of a source. A file beyond these is refused before anything is decoded. */
export const LIMITS = {
  durationSeconds: 24 * 3600,
  /** Width or height, as coded. x264 accepts no more. */
  side: 16_384,
  /** Pixels of a frame, as coded: DCI 8K (8192x4320) and 8K squares of a fisheye camera (7680x7680) pass. */
  pixels: 7680 * 7680,
  tracks: 64,
  /** Channels of an audio track: as many as FFmpeg 5.1 accepts. */
  channels: 64,
  /** Hz. The lowest rate of telephony is 8000; below this a file of kilobytes lasts for hours. */
  leastSampleRate: 1000,
  /** Most seconds by which the video may begin after the audio, as in a call: its first frame is shown for that long. */
  lateSeconds: 12 * 3600,
  /** Frames × pixels that are decoded: 24 h of 1440p60, or 2.8 h of 8K60. A file of still frames can have more of them than bytes. */
  decodedPixels: 2e13,
  /** Frames per second of the output; a faster source keeps every second, third… frame. A preset may have less. */
  frameRate: 60,
} as const;
