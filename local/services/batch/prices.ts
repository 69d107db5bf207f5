import type { Rate } from '../../plugin.ts';

const hours = (what: string, unit: string, usdPerUnit: number): Rate => ({ what, unit, usdPerUnit, scale: 1 / 3600 });

/**
 * Fargate on Linux, x86: https://aws.amazon.com/fargate/pricing/. Fargate Spot's price varies; the 70 % discount that AWS announces
 * is used here as an estimate.
 */
const SPOT = 0.3;
const VCPU_HOUR = 0.04048;
const GB_HOUR = 0.004445;

const RATES: Readonly<Record<string, Rate>> = {
  'vcpu-seconds:FARGATE': hours('Fargate CPU', 'vCPU-hours', VCPU_HOUR),
  'vcpu-seconds:FARGATE_SPOT': hours('Fargate Spot CPU', 'vCPU-hours', VCPU_HOUR * SPOT),
  'gb-seconds:FARGATE': hours('Fargate memory', 'GB-hours', GB_HOUR),
  'gb-seconds:FARGATE_SPOT': hours('Fargate Spot memory', 'GB-hours', GB_HOUR * SPOT),
};
/** Storage beyond the included 20 GB; Spot has no discount for it. */
const DISK = hours('Fargate disk', 'GB-hours', 0.000111);
/** Public address of a task. https://aws.amazon.com/vpc/pricing/ */
const ADDRESS = hours('Public addresses', 'hours', 0.005);

export function rate(counted: string): Rate | undefined {
  const [service, resource, type] = counted.split(':');
  if (service !== 'batch') return undefined;
  if (resource === 'ephemeral-gb-seconds') return DISK;
  return resource === 'ipv4-seconds' ? ADDRESS : RATES[`${resource}:${type}`];
}
