import { printableLine } from '../../core/contracts/text.ts';
import type { Output } from '../output.ts';
import { bar } from '../progress.ts';

/** What is done now, in the last line of a terminal; nothing anywhere else. */
export class ProgressLine {
  readonly #isShown: boolean;

  constructor({ json }: Output) {
    this.#isShown = process.stderr.isTTY && !json;
  }

  show(file: string, phase: string, fraction: number): void {
    if (this.#isShown) process.stderr.write(`\r\x1b[K${printableLine(`${file}  ${phase}  ${bar(100 * fraction)}`)}`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
  }
}
