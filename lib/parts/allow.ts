import { Effect, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';

/** A statement that allows `actions` of one service: `allow('s3', ['GetObject'], arn)`. */
export function allow(
  service: string,
  actions: string[],
  resources: string | string[],
  conditions?: PolicyStatementProps['conditions'],
): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: actions.map((action) => `${service}:${action}`),
    resources: [resources].flat(),
    ...(conditions && { conditions }),
  });
}
