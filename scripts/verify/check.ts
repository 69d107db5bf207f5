import { Failed } from './failed.ts';
import type { Target } from './target.ts';

/** What a check works with. */
export interface Run {
  target: Target;
  /** Creator of everything that this run makes: media of other creators are not touched. */
  creatorId: string;
  /** Media items that this run has made; they are marked for deletion together, before anything else is undone. */
  media: string[];
  /** A directory for files of this run; it is removed with the run. */
  folder: string;
  say(line: string): void;
  /** Registers an undo for the end, the latest first, whatever the checks found. */
  atEnd(what: string, undo: () => Promise<void>): void;
}

/** One promise of a deployment. */
export interface Check {
  /** Its name for `--only`. */
  name: string;
  promise: string;
  /**
   * Resolves with what was observed.
   * @throws Failed with what was missing; Skipped when the deployment does not promise it
   */
  run(run: Run): Promise<string>;
}

/**
 * Awaits a condition.
 * @param look called every few seconds; a value other than undefined ends the wait
 * @throws Failed `what` with the last observation, after `seconds`
 */
export async function awaited<T>(
  run: Run,
  what: string,
  seconds: number,
  look: () => Promise<T | undefined>,
  last: () => string = () => '',
): Promise<T> {
  const { patience, pollMs, hurry } = run.target;
  const deadline = Date.now() + seconds * 1000 * patience;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > deadline) {
      const seen = last();
      throw new Failed(`${what}: not within ${Math.round(seconds * patience)} s${seen === '' ? '' : ` (${seen})`}`);
    }
    await hurry?.();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
