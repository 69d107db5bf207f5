import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { sqs } from '../sqs/plugin.ts';
import { createSns, type Sns } from './service.ts';
import { readTopics, type Topic } from './template.ts';

export const sns: ServicePlugin<Topic[], Sns> = {
  name: 'sns',
  types: {
    'AWS::SNS::Topic': {
      identity: named('TopicName', 256, (name) => ({
        ref: arnOf('sns', name),
        attributes: { TopicArn: arnOf('sns', name), TopicName: name },
      })),
      createOnly: ['FifoTopic', 'TopicName'],
      namedBy: 'TopicName',
    },
    'AWS::SNS::TopicPolicy': { isPolicy: true },
    'AWS::SNS::Subscription': {
      createOnly: ['Endpoint', 'Protocol', 'TopicArn'],
      inert: 'Alarms go off and no mail is sent',
    },
  },
  read: readTopics,
  create: (topics, { of, policies, call, log }) => {
    const made = createSns(topics, { policies, sqs: of(sqs), call, log });
    return { handle: made, service: made.service };
  },
};
