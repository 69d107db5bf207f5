import type { ServicePlugin } from './plugin.ts';
import { apigateway } from './services/apigateway/plugin.ts';
import { batch } from './services/batch/plugin.ts';
import { budgets } from './services/budgets/plugin.ts';
import { cloudformation } from './services/cloudformation/plugin.ts';
import { cloudfront } from './services/cloudfront/plugin.ts';
import { cloudwatch } from './services/cloudwatch/plugin.ts';
import { cognito } from './services/cognito/plugin.ts';
import { dynamodb } from './services/dynamodb/plugin.ts';
import { ec2 } from './services/ec2/plugin.ts';
import { ecs } from './services/ecs/plugin.ts';
import { eventbridge } from './services/eventbridge/plugin.ts';
import { iam } from './services/iam/plugin.ts';
import { lambda } from './services/lambda/plugin.ts';
import { logs } from './services/logs/plugin.ts';
import { mediaconvert } from './services/mediaconvert/plugin.ts';
import { s3 } from './services/s3/plugin.ts';
import { scheduler } from './services/scheduler/plugin.ts';
import { secretsmanager } from './services/secretsmanager/plugin.ts';
import { sns } from './services/sns/plugin.ts';
import { sqs } from './services/sqs/plugin.ts';
import { sts } from './services/sts/plugin.ts';
import type { ResourceType } from './template/resource-type.ts';

/** The services of the local cloud, one row each. They are made in this order, so each comes after those that it uses. */
export const PLUGINS: readonly ServicePlugin[] = [
  iam,
  dynamodb,
  sqs,
  lambda,
  eventbridge,
  s3,
  batch,
  mediaconvert,
  sns,
  cloudwatch,
  ecs,
  cloudformation,
  secretsmanager,
  sts,
  cognito,
  apigateway,
  cloudfront,
  scheduler,
  // These are in the template only.
  budgets,
  ec2,
  logs,
];

/** The resource types of all plugins. */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = Object.assign(
  {},
  ...PLUGINS.map(({ types }) => types),
);

/** @param name as in a credential scope */
export function pluginOf(name: string): ServicePlugin | undefined {
  return PLUGINS.find((plugin) => plugin.name === name);
}
