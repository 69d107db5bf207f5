import { pipeline, type Readable, Transform } from 'node:stream';

/**
 * The body, with `strike` called once `count` of a chunk's bytes returns true; when `strike` reports that the other end is
 * dead, the body ends there like a lost connection.
 */
export function atByte(body: Readable, count: (bytes: number) => boolean, strike: () => Promise<boolean>): Readable {
  const passed = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!count(chunk.length)) return done(null, chunk);
      strike().then(
        (dead) => (dead ? done(new CutOff()) : done(null, chunk)),
        (error: Error) => done(error),
      );
    },
  });
  // The reader gets the error of either stream.
  return pipeline(body, passed, () => {});
}

class CutOff extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('A fault of the plan cut the connection');
  }
}
