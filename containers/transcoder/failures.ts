import { DropreelError } from '../../core/contracts/errors.ts';

/** The reason for stopping the worker: AWS Batch's SIGTERM. */
export class Drained extends Error {
  override readonly name = 'Drained';
}

const NETWORK =
  /^(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Converts any error to one of the closed list. */
export function asDropreelError(error: unknown): DropreelError {
  if (error instanceof DropreelError) return error;
  if (!(error instanceof Error)) return new DropreelError('worker_bug', `The worker threw ${String(error)}.`);
  const code = 'code' in error ? String(error.code) : '';
  const detail = error.stack ?? error.message;
  if (code === 'ENOSPC') {
    return new DropreelError('disk_full', 'The scratch disk is full.', { cause: error, detail });
  }
  if ('$metadata' in error || NETWORK.test(code) || error.name === 'TimeoutError') {
    return new DropreelError('storage_failed', `Storage failed: ${error.name} ${error.message}`, {
      cause: error,
      detail,
    });
  }
  return new DropreelError('worker_bug', `The worker failed with an unexpected error: ${error.message}`, {
    cause: error,
    detail,
  });
}
