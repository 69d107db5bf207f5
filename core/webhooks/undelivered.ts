import { DUE_WORK } from '../contracts/table/keys.ts';
import type { DeliveryRow } from '../contracts/table/webhooks.ts';
import { plus } from '../time.ts';

/**
 * Positions of deliveries in the sparse index `todo` until they are delivered, so that delivered ones are never read through:
 * pending ones by the time from which their message is considered lost, failed ones by endpoint and time of the change.
 */

/** A message may wait behind others; an hour after its time it is considered lost. */
const OVERDUE_MS = 3_600_000;

export function pendingTodo(nextAttemptAt: string): Required<Pick<DeliveryRow, 'todo' | 'todoAt'>> {
  return { todo: DUE_WORK.delivery, todoAt: plus(nextAttemptAt, { ms: OVERDUE_MS }) };
}

export function failedTodo(
  row: Pick<DeliveryRow, 'endpointId' | 'changedAt'>,
): Required<Pick<DeliveryRow, 'todo' | 'todoAt'>> {
  return { todo: failedOf(row.endpointId), todoAt: row.changedAt };
}

/** The value of `todo` of an endpoint's failed deliveries; `todoAt` is when the media item changed. */
export function failedOf(endpointId: string): string {
  return `failed-${endpointId}`;
}
