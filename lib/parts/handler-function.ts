import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRIC_NAMESPACE } from '../../core/contracts/metrics.ts';
import { allow } from './allow.ts';
import type { Surroundings } from './surroundings.ts';

export interface HandlerFunctionProps {
  surroundings: Surroundings;
  /** The folder under functions/: `ingest-upload`. */
  handler: string;
  timeout: Duration;
  /** MiB; CPU grows with it, one vCPU at 1769. */
  memorySize: number;
  environment: Record<string, string>;
  /** All that it may do, its log apart. */
  permissions: PolicyStatement[];
}

/** A function made of one bundle, with a role and a log group of its own. */
export class HandlerFunction extends Construct {
  readonly handler: string;
  readonly fn: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id);
    this.handler = props.handler;
    const bundle = join(props.surroundings.dist, 'functions', props.handler);
    if (!existsSync(bundle)) {
      throw new Error(`${bundle} is missing: run the build first (node --import tsx scripts/build.ts).`);
    }
    const logGroup = new LogGroup(this, 'Log', {
      retention: props.surroundings.configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      // Inline, so that a function never runs before its permissions are there.
      inlinePolicies: {
        handler: new PolicyDocument({
          statements: [...props.permissions, allow('logs', ['CreateLogStream', 'PutLogEvents'], logGroup.logGroupArn)],
        }),
      },
    });
    this.fn = new LambdaFunction(this, 'Function', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundle, { exclude: ['*.map'] }),
      handler: 'index.handler',
      timeout: props.timeout,
      memorySize: props.memorySize,
      role: this.role,
      logGroup,
      environment: {
        ...props.environment,
        POWERTOOLS_SERVICE_NAME: props.handler,
        POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
      },
    });
  }
}
