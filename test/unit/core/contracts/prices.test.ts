import { expect, it } from 'vitest';
import { pricesIn } from '../../../../core/contracts/prices.ts';

it.each([
  ['us-east-1', 'us-east-1', 0.04048, 1e-6],
  ['eu-west-1', 'eu-west-1', 0.04048, 1.11e-6],
  ['eu-central-1', 'eu-central-1', 0.04656, 1e-6],
  ['sa-east-1', 'us-east-1', 0.04048, 1e-6],
  ['', 'us-east-1', 0.04048, 1e-6],
])('of %j are the prices of %s: %d for a vCPU-hour, %d for a request to the API', (asked, region, vcpuHour, request) => {
  const found = pricesIn(asked);
  expect([found.region, found.prices.fargate.vcpuHour]).toEqual([region, vcpuHour]);
  expect(found.prices.httpApi.request).toBeCloseTo(request, 12);
});
