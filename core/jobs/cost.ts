import type { JobRow } from '../contracts/rows.ts';

/** USD per vCPU-hour and per GB-hour of Fargate on demand, Linux/x86, us-east-1. https://aws.amazon.com/fargate/pricing/ */
const VCPU_HOUR = 0.04048;
const GB_HOUR = 0.004445;
/** Of the job definition's shape: GB of memory for each vCPU. */
const GB_PER_VCPU = 2;

/**
 * What an encode costs, by the CPU time that it took, at the price on demand; Spot is about a third of it. The bill is for
 * the wall time of the vCPUs that the job definition reserves, which the encoders keep busy.
 */
export function priceOf(usage: { cpuSeconds: number }): NonNullable<JobRow['cost']> {
  const usd = (usage.cpuSeconds / 3600) * (VCPU_HOUR + GB_PER_VCPU * GB_HOUR);
  return { usd: Number(usd.toFixed(6)), vcpuSeconds: Number(usage.cpuSeconds.toFixed(1)) };
}
