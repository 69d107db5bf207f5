import { DropreelError, ERRORS } from '../../../core/contracts/errors.ts';
import type { Whole } from '../../../core/media/chunk-record.ts';
import type { StagesOutcome } from '../stages.ts';

/** A part cannot be one of the film's. The encode of the whole has its own checks, and says what is wrong with the source. */
export class NotExact extends Error {
  override readonly name = 'NotExact';
  /** What the decoder said, where that is why. */
  readonly fault: string | undefined;

  constructor(message: string, fault?: string) {
    super(message);
    this.fault = fault;
  }
}

/** What is said of a source that is damaged was learnt by decoding it from its start. @throws NotExact */
export function checkSource({ fault, gap, undecoded, late }: StagesOutcome): void {
  if (fault !== undefined) throw new NotExact(`It is damaged: ${fault}`, fault);
  if (gap !== undefined || undecoded.pictures + undecoded.sound > 0) throw new NotExact('It is damaged.');
  if (late.length > 0) throw new NotExact('A track begins later than its head says.');
}

/**
 * What `make` returns, or why the film has to be encoded whole.
 * @throws DropreelError of a fault that may pass, or the signal's reason
 */
export async function orWhole<T>(signal: AbortSignal, make: () => Promise<T>): Promise<T | Whole> {
  try {
    return await make();
  } catch (error) {
    signal.throwIfAborted();
    const isOfSource = error instanceof DropreelError && !ERRORS[error.code].transient;
    if (isOfSource || error instanceof NotExact) return { status: 'whole', why: error.message };
    throw error;
  }
}
