import { ArnFormat, Lazy, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, Policy, PolicyDocument, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { PARTITIONS } from '../../../core/contracts/table/keys.ts';
import type { HttpEnv } from '../../../engines/http/names.ts';
import { allow, allowRows } from '../../parts/allow.ts';
import type { HandlerFunction } from '../../parts/handler-function.ts';
import type { Storage } from '../../storage/storage.ts';
import { storagePermissions } from '../batch/job-definition.ts';
import type { Connected, EngineConstruct, Grant } from '../engine.ts';

export interface HttpEngineProps {
  url: string;
  /** Name of the secret in Secrets Manager whose text is the endpoint's API key. */
  secret: string;
}

/** The engine `http`. */
export class HttpEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof HttpEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events = {};
  readonly outputs = {};
  private readonly storage: Storage;
  private workerRole: Role | undefined;

  /** @param apiUrl called at the end of the synthesis */
  constructor(
    scope: Construct,
    id: string,
    { url, secret, storage, apiUrl }: HttpEngineProps & { storage: Storage; apiUrl: () => string },
  ) {
    super(scope, id);
    this.storage = storage;
    this.environment = {
      HTTP_ENGINE_URL: url,
      HTTP_ENGINE_SECRET: secret,
      HTTP_ENGINE_ROLE_ARN: Lazy.string({ produce: () => this.workerRole?.roleArn }),
      HTTP_ENGINE_API_URL: Lazy.string({ produce: apiUrl }),
    };
    // Secrets Manager ends an ARN with a hyphen and six characters.
    const resourceName = `${secret}-??????`;
    const arn = Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const call: Grant = { statements: [allow('secretsmanager', ['GetSecretValue'], arn)] };
    // The secret of each job is derived from the key in that partition.
    const submit: Grant = {
      statements: [...call.statements, allowRows(storage.table, ['GetItem', 'PutItem'], [PARTITIONS.secret])],
    };
    this.grants = { 'ingest-upload': submit, sweep: submit, 'track-job': call, api: call };
  }

  connect(handler: Connected, { role }: HandlerFunction): void {
    if (handler !== 'api') return;
    this.workerRole = new Role(this, 'WorkerRole', {
      assumedBy: new ArnPrincipal(role.roleArn),
      inlinePolicies: { worker: new PolicyDocument({ statements: storagePermissions(this.storage) }) },
    });
    // A policy of its own: in the role's definition it would be a circle.
    new Policy(this, 'SignForWorkers', {
      roles: [role],
      statements: [allow('sts', ['AssumeRole'], this.workerRole.roleArn)],
    });
  }
}
