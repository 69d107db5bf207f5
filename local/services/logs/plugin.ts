import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';

export const logs: ServicePlugin = {
  name: 'logs',
  types: {
    'AWS::Logs::LogGroup': {
      identity: named('LogGroupName', 512, (name) => ({
        attributes: { Arn: arnOf('logs', `log-group:${name}:*`) },
      })),
      createOnly: ['LogGroupName'],
      namedBy: 'LogGroupName',
      inert:
        'What a role may not write is lost, and a worker whose log is refused does not start; a log without an end is paid for without an end',
    },
  },
};
