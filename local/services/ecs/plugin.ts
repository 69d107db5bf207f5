import type { ServicePlugin } from '../../plugin.ts';
import { batch } from '../batch/plugin.ts';
import { createEcs } from './service.ts';

export const ecs: ServicePlugin = {
  name: 'ecs',
  types: {},
  create: (_, { of }) => ({ handle: undefined, service: createEcs(of(batch).reclaim) }),
};
