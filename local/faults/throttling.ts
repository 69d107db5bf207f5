import { AwsError } from '../kernel/service.ts';
import { pluginOf } from '../plugins.ts';

/** The service's error for too many requests. */
export function throttlingError(service: string): AwsError {
  const [code, status] = pluginOf(service)?.throttled ?? ['ThrottlingException', 400];
  return new AwsError(code, status, 'Please reduce your request rate.');
}
