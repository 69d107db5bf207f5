import { z } from 'zod';

const Answer = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish();

/**
 * The answer of a function with ReportBatchItemFailures. An answer of another form, or with an empty identifier,
 * fails the whole batch; an empty one fails nothing.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export function failedIdentifiers(payload: string): Set<string> | 'all' {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return 'all';
  }
  if (value === '') return new Set();
  const parsed = Answer.safeParse(value);
  if (!parsed.success) return 'all';
  return new Set((parsed.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
}
