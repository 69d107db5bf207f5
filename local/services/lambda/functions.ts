import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import type { Meter } from '../../kernel/meter.ts';
import { AwsError, type Principal } from '../../kernel/service.ts';
import { Concurrency } from './concurrency.ts';
import { Pool } from './pool.ts';
import type { FunctionConfiguration, InvokePermission } from './template.ts';

/** A function, ready to be invoked. */
export interface Invoked {
  configuration: FunctionConfiguration;
  credentials: Credentials;
  pool: Pool;
}

export interface Functions {
  byArn: ReadonlyMap<string, Invoked>;
  /** @throws AwsError ResourceNotFoundException */
  find(functionArn: string): Invoked;
  /** @throws AwsError AccessDeniedException */
  authorize(configuration: FunctionConfiguration, principal: Principal): void;
}

export interface FunctionsOptions {
  functions: readonly FunctionConfiguration[];
  endpoint: string;
  meter: Meter;
  /** Node executable that runs the functions. */
  nodePath: string;
  credentialsOf: (roleArn: string) => Credentials;
  /** Whether a role's own policies allow the invocation. */
  mayInvoke: (principal: Principal, functionArn: string) => boolean;
  /** Concurrent executions of all functions without reserved concurrency. */
  concurrency: number;
}

export function createFunctions(context: ServiceContext, options: FunctionsOptions): Functions {
  const { endpoint, meter, nodePath } = options;
  const account = new Concurrency(options.concurrency);
  const byArn = new Map(
    options.functions.map((configuration) => {
      const credentials = options.credentialsOf(configuration.roleArn);
      const pool = new Pool({ context, configuration, endpoint, credentials, nodePath, meter, account });
      return [configuration.arn, { configuration, credentials, pool }] as const;
    }),
  );
  return {
    byArn,
    find(functionArn) {
      const found = byArn.get(functionArn);
      if (!found) throw new AwsError('ResourceNotFoundException', 404, `Function not found: ${functionArn}`);
      return found;
    },
    authorize({ arn, permissions }, principal) {
      if (allows(permissions, principal) || options.mayInvoke(principal, arn)) return;
      const who =
        principal.type === 'service' ? principal.service : principal.type === 'role' ? principal.arn : principal.type;
      const message = `${who} is not authorized to perform: lambda:InvokeFunction on resource: ${arn}`;
      throw new AwsError('AccessDeniedException', 403, message);
    },
  };
}

/** The function's resource policy, from AWS::Lambda::Permission. */
function allows(permissions: readonly InvokePermission[], principal: Principal): boolean {
  if (principal.type === 'developer') return true;
  if (principal.type !== 'service') return false;
  return permissions.some(
    ({ service, sourceArn }) =>
      service === principal.service && (!sourceArn || arnLike(sourceArn, principal.sourceArn ?? '')),
  );
}

/** CDK writes the permissions' SourceArn as an ArnLike pattern: `*` and `?` within its parts. */
function arnLike(pattern: string, arn: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(arn);
}
