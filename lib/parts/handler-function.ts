import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duration } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { allow } from './allow.ts';
import { logGroup } from './log-group.ts';
import type { StageProps } from './stage-props.ts';

export interface HandlerFunctionProps {
  stageProps: StageProps;
  /** The folder under functions/: `ingest-upload`. */
  handler: string;
  timeout: Duration;
  /** MiB; CPU grows with it, one vCPU at 1769. */
  memorySize: number;
  environment: Record<string, string>;
  /** All permissions of the function except for its log. */
  permissions: PolicyStatement[];
  /**
   * The function sends messages to the queue that feeds it, and a row bounds how many. Lambda otherwise stops a chain after about 16
   * invocations, however far apart. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
   */
  sendsToItself?: true;
}

/** A function made of one bundle, with a role and a log group of its own. */
export class HandlerFunction extends Construct {
  readonly handler: string;
  /** Namespace of its metrics: the deployment's name, so that two deployments in one region are not counted together. */
  readonly namespace: string;
  readonly fn: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id);
    this.handler = props.handler;
    this.namespace = props.stageProps.configuration.name;
    const bundle = join(props.stageProps.dist, 'functions', props.handler);
    if (!existsSync(bundle)) {
      throw new Error(`${bundle} is missing: run the build first (node --import tsx scripts/build.ts).`);
    }
    const log = logGroup(this, 'Log', props.stageProps, props.handler);
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      // Inline, so that a function never runs before it has its permissions.
      inlinePolicies: {
        handler: new PolicyDocument({
          statements: [...props.permissions, allow('logs', ['CreateLogStream', 'PutLogEvents'], log.logGroupArn)],
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
      logGroup: log,
      ...(props.sendsToItself && { recursiveLoop: RecursiveLoop.ALLOW }),
      environment: {
        ...props.environment,
        POWERTOOLS_SERVICE_NAME: props.handler,
        POWERTOOLS_METRICS_NAMESPACE: this.namespace,
      },
    });
  }
}
