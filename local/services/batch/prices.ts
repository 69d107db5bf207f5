import type { Prices } from '../../cost/prices.ts';
import type { Rate } from '../../plugin.ts';

const hours = (what: string, unit: string, usdPerUnit: number): Rate => ({ what, unit, usdPerUnit, scale: 1 / 3600 });

export function rate(counted: string, { fargate, gpu, address }: Prices): Rate | undefined {
  const [service, resource, type] = counted.split(':');
  if (service !== 'batch') return undefined;
  // Which type AWS Batch would take is not known: the dearest.
  const instanceHour = Math.max(...Object.values(gpu.hours));
  switch (`${resource}:${type}`) {
    case 'gpu-seconds:EC2':
      return hours('GPU instances', 'hours', instanceHour);
    case 'gpu-seconds:SPOT':
      return hours('GPU instances on Spot', 'hours', instanceHour * gpu.spot);
    case 'vcpu-seconds:FARGATE':
      return hours('Fargate CPU', 'vCPU-hours', fargate.vcpuHour);
    case 'vcpu-seconds:FARGATE_SPOT':
      return hours('Fargate Spot CPU', 'vCPU-hours', fargate.vcpuHour * fargate.spot);
    case 'gb-seconds:FARGATE':
      return hours('Fargate memory', 'GB-hours', fargate.gbHour);
    case 'gb-seconds:FARGATE_SPOT':
      return hours('Fargate Spot memory', 'GB-hours', fargate.gbHour * fargate.spot);
  }
  // Spot has no discount for the disk.
  if (resource === 'ephemeral-gb-seconds') return hours('Fargate disk', 'GB-hours', fargate.diskGbHour);
  return resource === 'ipv4-seconds' ? hours('Public addresses', 'hours', address.hour) : undefined;
}
