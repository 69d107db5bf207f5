/** An address that receives webhooks and records every request; its answer depends on the payload's first delivery. */
export interface Receiver {
  url: string;
  /** In order of arrival. */
  received(): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

export interface ReceivedRequest {
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
  /** The status of the answer. */
  status: number;
}

/**
 * A receiver's answer: 500 to the first delivery of an event, so that it is sent again, and 200 to everything else.
 * @param earlier requests before this one
 */
export function answerFor(headers: Record<string, string>, body: string, earlier: readonly ReceivedRequest[]): number {
  const type = (JSON.parse(body) as { type?: string }).type ?? '';
  if (!type.startsWith('media.')) return 200;
  const isFirst = !earlier.some((request) => JSON.parse(request.body).type?.startsWith('media.'));
  return isFirst && headers['webhook-id'] !== undefined ? 500 : 200;
}
