import type { ServicePlugin } from '../../plugin.ts';

export const budgets: ServicePlugin = {
  name: 'budgets',
  types: {
    'AWS::Budgets::Budget': {
      createOnly: ['NotificationsWithSubscribers'],
      inert: 'A month costs more than its amount and no one is notified',
    },
  },
};
