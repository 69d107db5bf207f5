import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import { type Form, queryService } from '../../kernel/aws-query.ts';
import { AwsError, type Service, type ServiceRequest } from '../../kernel/service.ts';
import type { LoadedTemplate } from '../../template/load.ts';

/** DescribeStacks and ListStackResources of the one stack that a local cloud has booted. */
export function createCloudFormation({ stack, outputs, resources }: LoadedTemplate, bootedAt: string): Service {
  const StackId = `arn:aws:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${stack}/local`;
  const ofTheStack = (name: string, run: () => object) => (form: Form, request: ServiceRequest) => {
    request.authorize({ action: `cloudformation:${name}`, resource: StackId });
    const asked = form.get('StackName') ?? stack;
    if (asked === stack || asked === StackId) return run();
    throw new AwsError('ValidationError', 400, `Stack with id ${asked} does not exist`);
  };
  const describe: Record<string, () => object> = {
    DescribeStacks: () => ({
      Stacks: {
        member: {
          StackId,
          StackName: stack,
          CreationTime: bootedAt,
          StackStatus: 'CREATE_COMPLETE',
          Outputs: {
            member: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
          },
        },
      },
    }),
    ListStackResources: () => ({
      StackResourceSummaries: {
        member: resources.map(({ logicalId, ref, type }) => ({
          LogicalResourceId: logicalId,
          PhysicalResourceId: ref,
          ResourceType: type,
          LastUpdatedTimestamp: bootedAt,
          ResourceStatus: 'CREATE_COMPLETE',
        })),
      },
    }),
  };
  return queryService({
    name: 'cloudformation',
    title: 'CloudFormation',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    operations: Object.fromEntries(Object.entries(describe).map(([name, run]) => [name, ofTheStack(name, run)])),
  });
}
