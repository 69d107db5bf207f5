/** Of the statuses by which a service refuses, those of what was sent: malformed, too large, not to be processed. RFC 9110, 15.5 */
const OF_THE_REQUEST: readonly number[] = [400, 413, 422];

/**
 * These of a proxy do not say whether the service has got the request: 408, the request took too long; 409, it conflicts with one that may be
 * the same. RFC 9110, 15.5.9 and 15.5.10
 */
const UNKNOWN: readonly number[] = [408, 409];

/** Whether a service certainly does not have what it answered with this status. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && !UNKNOWN.includes(status);
}

/** Whether the same request is refused always. By any other status the service does not take jobs: its address, key, credit, quota or rate. */
export function isOfTheRequest(status: number): boolean {
  return OF_THE_REQUEST.includes(status);
}
