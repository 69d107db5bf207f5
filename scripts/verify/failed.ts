/** The promise does not hold; the message says what was awaited and what to check. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

/** This deployment does not promise it; the message says what would. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}
