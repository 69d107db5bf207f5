import type { ErrorCode } from '../../core/contracts/errors.ts';
import type { Refused } from '../../core/contracts/refused.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';

export interface Accepted {
  kind?: 'video' | 'audio';
  info: SourceInfo;
  /** Whether a worker may encode it without having it on its disk. */
  inPlace?: true;
}

/** What is known of an upload before any compute is paid for. What cannot be determined here is left to the worker. */
export type Finding = Accepted | Refused<{ code: ErrorCode; message: string }>;

export function refused(code: ErrorCode, message: string): Finding {
  return { refused: { code, message } };
}
