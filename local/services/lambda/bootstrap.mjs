/**
 * Runs in a function's own process, instead of Lambda's runtime: loads the handler, receives invocations from the parent
 * one after the other, answers with the result or with an error in Lambda's format. Exits when the parent has exited.
 */
import { pathToFileURL } from 'node:url';

const RealDate = Date;
let ahead = 0;
// The local cloud's clock can be ahead of the machine's; a function must use the cloud's time.
class CloudDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + ahead);
    else super(...args);
  }
  static now() {
    return RealDate.now() + ahead;
  }
}
globalThis.Date = CloudDate;

const describe = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: String(error.stack ?? '').split('\n') }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };

process.on('disconnect', () => process.exit(0));

async function load() {
  const file = pathToFileURL(`${process.env.LAMBDA_TASK_ROOT}/${process.env.LOCAL_CLOUD_MODULE}.mjs`);
  const name = process.env.LOCAL_CLOUD_EXPORT;
  delete process.env.LOCAL_CLOUD_MODULE;
  delete process.env.LOCAL_CLOUD_EXPORT;
  const handler = (await import(file.href))[name];
  if (typeof handler !== 'function') throw new TypeError(`${file.pathname} exports no function ${name}`);
  return handler;
}

function contextOf({ requestId, functionArn, deadlineMs }) {
  const endsAt = performance.now() + deadlineMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(endsAt - performance.now())),
  };
}

let handler;
try {
  handler = await load();
  process.send({ type: 'ready' });
} catch (error) {
  process.send({ type: 'broken', error: describe(error) });
}

process.on('message', async (message) => {
  ahead = message.ahead;
  process.env._X_AMZN_TRACE_ID = message.traceId;
  try {
    const result = await handler(message.event, contextOf(message));
    process.send({ type: 'result', payload: JSON.stringify(result ?? null) });
  } catch (error) {
    process.send({ type: 'error', error: describe(error) });
  }
});
