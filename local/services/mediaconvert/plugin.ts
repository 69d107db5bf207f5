import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { eventbridge } from '../eventbridge/plugin.ts';
import { objectsOf } from './objects.ts';
import { rate } from './prices.ts';
import { createMediaConvert, type MediaConvert } from './service.ts';
import { type Queue, readQueues } from './template.ts';

export const mediaconvert: ServicePlugin<Queue[], MediaConvert> = {
  name: 'mediaconvert',
  types: {
    'AWS::MediaConvert::Queue': {
      identity: named('Name', 256, (name) => ({
        attributes: { Arn: arnOf('mediaconvert', `queues/${name}`), Name: name },
      })),
      createOnly: ['Name'],
      namedBy: 'Name',
    },
  },
  processes: ['running'],
  read: readQueues,
  create: async (queues, context) => {
    const { credentials, policies, endpoint, meter } = context;
    const { FFMPEG_PATH: ffmpeg = 'ffmpeg', FFPROBE_PATH: ffprobe = 'ffprobe' } = process.env;
    const made = await createMediaConvert({
      context,
      queues,
      meter,
      emit: context.of(eventbridge).events.emit,
      tools: { ffmpeg, ffprobe },
      objectsOf: (of) => objectsOf(endpoint, of),
      // The trust policy names the queue: https://docs.aws.amazon.com/mediaconvert/latest/ug/cross-service-confused-deputy-prevention.html
      assume: (arn, sourceArn) =>
        policies.trusts(arn, { type: 'service', service: 'mediaconvert.amazonaws.com', sourceArn })
          ? credentials.issue({ type: 'role', arn })
          : undefined,
    });
    return { handle: made, service: made, start: made.start, clients: made };
  },
  throttled: ['TooManyRequestsException', 429],
  rate,
};
