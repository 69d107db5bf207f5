import type { ServicePlugin } from '../../plugin.ts';
import { createCloudFormation } from './service.ts';

export const cloudformation: ServicePlugin = {
  name: 'cloudformation',
  types: {},
  create: (_, { template, clock }) => ({
    handle: undefined,
    service: createCloudFormation(template, clock.iso()),
  }),
};
