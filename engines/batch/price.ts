import type { Cost, Usage } from '../engine.ts';

/** USD per vCPU-hour and per GB-hour of Fargate on demand, Linux/x86, us-east-1. https://aws.amazon.com/fargate/pricing/ */
const VCPU_HOUR = 0.04048;
const GB_HOUR = 0.004445;
/** From the job definition: GB of memory for each vCPU. */
const GB_PER_VCPU = 2;

/**
 * Cost of an encode, by the vCPU time that it took, at the on-demand price; Spot is about a third of it. The bill is for
 * the wall time of the vCPUs that the job definition reserves, which the encoders keep busy.
 */
export function priceOf({ vcpuSeconds }: Usage): Cost {
  const usd = (vcpuSeconds / 3600) * (VCPU_HOUR + GB_PER_VCPU * GB_HOUR);
  return { usd: Number(usd.toFixed(6)), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}
