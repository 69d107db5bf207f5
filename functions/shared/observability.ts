import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { METRICS } from '../../core/contracts/metrics.ts';

/**
 * Middleware of every function. POWERTOOLS_SERVICE_NAME, the function's name, is the dimension of its metrics,
 * POWERTOOLS_METRICS_NAMESPACE their namespace.
 */

export const logger = new Logger();
export const metrics = new Metrics();

export function count(metric: keyof typeof METRICS, times = 1): void {
  metrics.addMetric(METRICS[metric], MetricUnit.Count, times);
}

/** Most runs count nothing, and Powertools' own middleware would warn of that each time. */
function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

export function lambda<Event, Answer>(work: (event: Event, context: Context) => Promise<Answer>) {
  return middy(work)
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use({ after: publishMetrics, onError: publishMetrics });
}
