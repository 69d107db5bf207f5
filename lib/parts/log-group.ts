import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Configuration } from '../configuration.ts';
import type { StageProps } from './stage-props.ts';

export function logGroupName({ name: deployment }: Pick<Configuration, 'name'>, name: string): string {
  return `/${deployment}/${name}`;
}

/**
 * The log group `/{deployment}/{name}`, so that it is found without the console. It is deleted with the stack: one that stayed would
 * prevent a stack of the same name from being made again.
 * @param prefix `/aws/vendedlogs` for what a service writes under a resource policy, which has room for few groups of other names:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
 */
export function logGroup(scope: Construct, id: string, stageProps: StageProps, name: string, prefix = ''): LogGroup {
  const { configuration } = stageProps;
  return new LogGroup(scope, id, {
    logGroupName: `${prefix}${logGroupName(configuration, name)}`,
    retention: configuration.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
