import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { putEvents } from '../../aws/bus.ts';
import { DETAIL, type JobProgress, SOURCE } from '../../core/contracts/events.ts';

/** Puts reports of progress on the bus. */
export function busReporter(client: EventBridgeClient, busName: string) {
  return async (detail: JobProgress['detail']): Promise<void> => {
    const event = { source: SOURCE.worker, 'detail-type': DETAIL.progress, detail };
    const { error } = await putEvents(client, busName, [event]);
    if (error) throw new Error(error);
  };
}
