/** Minimum and maximum in milliseconds. */
export type Range = readonly [least: number, most: number];

/**
 * Latency of a call, network and service together, for a client in the same region. AWS guarantees none of these.
 *
 * - s3: "consistent small object latencies … of roughly 100–200 milliseconds" is what its user guide tells applications to
 *   expect (optimizing-performance); most take less, and the guess here is low so that a test of some hundred calls is fast enough.
 * - dynamodb: "single-digit millisecond" (developer guide, Introduction). The duration of a transaction is added.
 * - sqs: the developer guide assumes 20 ms a call (horizontal scaling and action batching).
 * - events: a guess.
 * - batch: SubmitJob and ListJobs as assumed in this project's review of race conditions; the others are guesses.
 */
const LATENCIES: Readonly<Record<string, Range>> = {
  s3: [10, 40],
  dynamodb: [2, 9],
  sqs: [5, 25],
  events: [10, 40],
  batch: [30, 70],
  'batch:SubmitJob': [100, 200],
};

export function latencyOf(service: string, operation: string): Range | undefined {
  return LATENCIES[`${service}:${operation}`] ?? LATENCIES[service];
}
