/** Of the statuses by which a service refuses, those of what was sent: malformed, too large, not to be processed. RFC 9110, 15.5 */
const OF_THE_REQUEST: readonly number[] = [400, 413, 422];

/** Whether the same request is refused always. By any other status the service does not take jobs: its address, key, credit, quota or rate. */
export function isOfTheRequest(status: number): boolean {
  return OF_THE_REQUEST.includes(status);
}
