import { expect, it } from 'vitest';
import { logUrlOf } from '../../../../core/api/log-url.ts';

it("the log of a job is CloudWatch's page of the lines that have its id, from the moment at which it was made on", () => {
  const job = { jobId: 'abc-2', createdAt: '2026-11-21T12:00:00.000Z' };
  expect(logUrlOf(job, { region: 'eu-west-1', group: '/dropreel/worker' })).toBe(
    'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fdropreel$252Fworker/log-events$3FfilterPattern$3D$2522abc-2$2522$26start$3D1795262400000',
  );
});
