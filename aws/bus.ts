import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';

export interface BusEvent {
  source: string;
  'detail-type': string;
  detail: unknown;
}

/** EventBridge's limit of one PutEvents. */
const PUT_BATCH = 10;

/**
 * Puts events on a bus, in order.
 * @returns how many of the first were all accepted: less than their number when one was refused, and then events after that one may or
 * may not have been accepted
 */
export async function putEvents(
  client: EventBridgeClient,
  busName: string,
  events: readonly BusEvent[],
): Promise<{ taken: number; error?: string }> {
  for (let i = 0; i < events.length; i += PUT_BATCH) {
    const Entries = events.slice(i, i + PUT_BATCH).map((event) => ({
      EventBusName: busName,
      Source: event.source,
      DetailType: event['detail-type'],
      Detail: JSON.stringify(event.detail),
    }));
    const answer = await client.send(new PutEventsCommand({ Entries }));
    const failed = (answer.Entries ?? []).findIndex((entry) => entry.ErrorCode !== undefined);
    if (failed >= 0) {
      const { ErrorCode, ErrorMessage } = answer.Entries?.[failed] ?? {};
      return { taken: i + failed, error: `${ErrorCode}: ${ErrorMessage ?? ''}` };
    }
  }
  return { taken: events.length };
}
