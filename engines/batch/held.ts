import type { Held } from '../../core/jobs/cost.ts';

/** From AWS Batch's JobDetail. Times are milliseconds since the epoch; an attempt that never ran has no start. */
export interface HeldDetail {
  attempts?: readonly { startedAt?: number | undefined; stoppedAt?: number | undefined }[] | undefined;
  container?:
    | { resourceRequirements?: readonly { type?: string | undefined; value?: string | undefined }[] | undefined }
    | undefined;
}

export function heldBy({ attempts = [], container }: HeldDetail): Held {
  const required = container?.resourceRequirements?.find(({ type }) => type === 'VCPU');
  const secondsOf = ({ startedAt = 0, stoppedAt = 0 }: (typeof attempts)[number]) =>
    startedAt > 0 ? Math.max(0, stoppedAt - startedAt) / 1000 : 0;
  return { vcpus: Number(required?.value ?? 0), seconds: attempts.map(secondsOf) };
}
