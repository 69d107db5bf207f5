import type { ServicePlugin } from '../../plugin.ts';
import { byArn, named } from '../../template/identity.ts';
import { eventbridge } from '../eventbridge/plugin.ts';
import { rate } from './prices.ts';
import { type Batch, createBatch } from './service.ts';
import { type BatchResources, readResources } from './template.ts';

export const batch: ServicePlugin<BatchResources, Batch> = {
  name: 'batch',
  types: {
    'AWS::Batch::ComputeEnvironment': {
      identity: named('ComputeEnvironmentName', 128, byArn('batch', 'compute-environment', 'ComputeEnvironmentArn')),
      createOnly: ['ComputeEnvironmentName', 'EksConfiguration', 'Tags', 'Type'],
      namedBy: 'ComputeEnvironmentName',
    },
    'AWS::Batch::JobQueue': {
      identity: named('JobQueueName', 128, byArn('batch', 'job-queue', 'JobQueueArn')),
      createOnly: ['JobQueueName', 'JobQueueType', 'Tags'],
      namedBy: 'JobQueueName',
      // "can be replaced but can't be removed", nor added. https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html
      refusedChanges: (old, now) =>
        (old.SchedulingPolicyArn === undefined) === (now.SchedulingPolicyArn === undefined)
          ? []
          : ['a queue neither gets a scheduling policy later nor loses its own'],
    },
    'AWS::Batch::JobDefinition': {
      identity: named('JobDefinitionName', 128, byArn('batch', 'job-definition', 'JobDefinitionArn', ':1')),
      createOnly: ['JobDefinitionName', 'Tags'],
    },
    'AWS::Batch::SchedulingPolicy': {
      identity: named('Name', 128, byArn('batch', 'scheduling-policy', 'Arn')),
      createOnly: ['Name', 'Tags'],
      namedBy: 'Name',
    },
  },
  processes: ['running'],
  read: readResources,
  create: async (resources, context) => {
    const { credentials, endpoint, template, options } = context;
    const made = await createBatch(context, {
      ...resources,
      emit: context.of(eventbridge).events.emit,
      credentialsFor: (arn) => credentials.issue({ type: 'role', arn }),
      imageDirectory: (image) => template.assets.image(image),
      endpoint: () => endpoint,
      meter: context.meter,
      nodePath: context.nodePath,
      rules: options.jobs,
      slots: options.slots,
      shortageOf: context.faults?.shortageOf,
      listLag: context.adverse?.listLag,
    });
    return { handle: made, service: made, start: made.start, clients: made };
  },
  throttled: ['ServerException', 500],
  rate,
};
