import { DEVELOPER, REGION } from '../../local/account.ts';

/** Another endpoint to run the suites against, instead of a local cloud; its queues are made and deleted with its API. */
export const OTHER_ENDPOINT = process.env.CONFORMANCE_ENDPOINT;

export function clientOptions(endpoint: string) {
  return { endpoint, region: REGION, credentials: DEVELOPER, maxAttempts: 1 };
}
