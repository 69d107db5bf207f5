import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { sns } from '../sns/plugin.ts';
import { sqs } from '../sqs/plugin.ts';
import { createCloudWatch } from './service.ts';
import { type AlarmConfiguration, checkAlarms, readAlarms } from './template.ts';

const alarm = named('AlarmName', 255, (name) => ({ attributes: { Arn: arnOf('cloudwatch', `alarm:${name}`) } }));

export const cloudwatch: ServicePlugin<AlarmConfiguration[], undefined> = {
  name: 'monitoring',
  types: {
    'AWS::CloudWatch::Alarm': {
      identity: alarm,
      createOnly: ['AlarmName'],
    },
    'AWS::CloudWatch::CompositeAlarm': {
      identity: alarm,
      createOnly: ['AlarmName'],
    },
    'AWS::CloudWatch::Dashboard': {
      createOnly: ['DashboardName'],
      inert: 'A graph of a metric that is never written stays empty',
    },
  },
  read: readAlarms,
  check: (alarms, { reader, policies, configurationOf, options, log }) => {
    const unheard = checkAlarms(alarms, { topics: configurationOf(sns), policies });
    if (options.unheardAlarms === 'log') unheard.forEach(log);
    else reader.problems.push(...unheard);
  },
  create: (alarms, { of, clock, log }) => ({
    handle: undefined,
    service: createCloudWatch(alarms, { sns: of(sns), sqs: of(sqs), clock, log }),
  }),
};
