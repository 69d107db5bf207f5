import { AwsError } from '../../kernel/service.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { createSts } from './sts.ts';

export const sts: ServicePlugin = {
  name: 'sts',
  types: {},
  create: (_, { clock, credentials, policies }) => ({
    handle: undefined,
    service: createSts(clock, { credentials, policies }),
  }),
  denied: (_, reason) => new AwsError('AccessDenied', 403, reason),
};
