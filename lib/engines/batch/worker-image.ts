/**
 * The components of the worker's image. It decodes strangers' files, so a deployment builds exactly what is written here, independent of
 * the day and of caches: a changed line makes a new image. docs/deploy.md says how to find the values and when to move them.
 */
export const WORKER_IMAGE = {
  /**
   * Node 24.21.0 on Debian 13, from Docker's official images, which public.ecr.aws carries under the same digests. The digest is that of
   * the index, for all platforms.
   */
  BASE: 'public.ecr.aws/docker/library/node:24-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66',
  /** Version of ffmpeg and its libraries, as Debian numbers them: from trixie-security. */
  FFMPEG: '7:7.1.5-0+deb13u1',
  /** The last date on which Debian's other packages were to be refreshed. */
  REFRESHED: '2026-11-28',
} as const;
