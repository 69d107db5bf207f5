import { createHash } from 'node:crypto';

/**
 * Number of times that a chain of requests has reached each function, stored as Lambda does: in the trace header, which the SDK sends
 * with each call of a function and SQS returns with the message. On AWS the chain also continues through S3, SNS and Lambda, of which
 * none connects two functions here; EventBridge and DynamoDB end it.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
export const TRACE_HEADER = 'x-amzn-trace-id';

/** "If a function is invoked approximately 16 times in the same chain of requests, then Lambda automatically stops the next". */
const MOST = 16;

/** The trace header of an invocation; `undefined` when the chain has reached the function too often. */
export function nextTrace(
  { functionArn, recursiveLoop }: { functionArn: string; recursiveLoop: 'Allow' | 'Terminate' },
  requestId: string,
  traces: readonly string[],
): string | undefined {
  const own = createHash('sha256').update(functionArn).digest('hex').slice(0, 8);
  const [longest, counts] = traces
    .map((trace) => [trace, lineageOf(trace)] as const)
    // A batch of several chains counts as the longest of them: AWS does not document this.
    .sort(([, a], [, b]) => (b.get(own) ?? 0) - (a.get(own) ?? 0))[0] ?? ['', new Map<string, number>()];
  const count = (counts.get(own) ?? 0) + 1;
  if (count > MOST && recursiveLoop === 'Terminate') return undefined;
  const root = /Root=([^;]+)/.exec(longest)?.[1] ?? rootOf(requestId);
  const lineage = [...new Map([...counts, [own, count]])].map(([id, times]) => `${id}:${times}`).join('|');
  return `Root=${root};Sampled=0;Lineage=${lineage}`;
}

function lineageOf(trace: string): Map<string, number> {
  const entries = (/Lineage=([^;]+)/.exec(trace)?.[1] ?? '').split('|').map((entry) => entry.split(':'));
  return new Map(entries.flatMap(([id, times]) => (id && times ? [[id, Number(times)] as const] : [])));
}

function rootOf(requestId: string): string {
  return `1-${Math.floor(Date.now() / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)}`;
}
