import type { Caller } from '../../core/api/caller.ts';
import type { WorkerLog } from '../../core/api/log-url.ts';
import type { ApiServices } from './call.ts';

/** For operators, who may have an account of AWS. A cloud on this machine, which delivers over plain HTTP, has no CloudWatch to look at. */
export function workerLog({ operator }: Caller, { env }: ApiServices): WorkerLog | undefined {
  const { AWS_REGION: region } = process.env;
  if (!operator || region === undefined || !env.DELIVERY_URL.startsWith('https://')) return undefined;
  return { region, group: env.WORKER_LOG_GROUP };
}
