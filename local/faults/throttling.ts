import { AwsError } from '../service.ts';

/** How each service says that it has had too many requests: their API references, under common errors. */
const ERRORS: Readonly<Record<string, readonly [code: string, status: number]>> = {
  s3: ['SlowDown', 503],
  dynamodb: ['ProvisionedThroughputExceededException', 400],
  sqs: ['RequestThrottled', 403],
  events: ['ThrottlingException', 400],
  scheduler: ['ThrottlingException', 429],
  lambda: ['TooManyRequestsException', 429],
  batch: ['ServerException', 500],
};

export function throttlingError(service: string): AwsError {
  const [code, status] = ERRORS[service] ?? ['ThrottlingException', 400];
  return new AwsError(code, status, 'Please reduce your request rate.');
}
