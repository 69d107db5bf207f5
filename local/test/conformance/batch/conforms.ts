import { test } from 'vitest';
import { type Options, startWorld, type World } from '../../support/batch-world.ts';
import { OTHER } from '../target.ts';
import { DOCS } from './pages.ts';

/**
 * One case whose jobs run, and do what it tells them: a Batch of its own, driven by the AWS SDK over HTTP. Elsewhere the
 * jobs would be out of its hands; there it is skipped.
 * @param source page of AWS's documentation, under https://docs.aws.amazon.com/batch/latest/, that says what must happen
 */
export function conforms(
  title: string,
  source: string,
  run: (world: World) => Promise<void>,
  options: Options = {},
): void {
  test(`${title} (${DOCS}${source})`, async ({ skip }) => {
    skip(OTHER !== undefined, 'our own cloud only: the case steers its jobs by their files and signals');
    const world = await startWorld(options);
    try {
      await run(world);
    } finally {
      await world.close();
    }
  });
}
