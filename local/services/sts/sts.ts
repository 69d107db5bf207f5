import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { CredentialStore } from '../../iam/credentials.ts';
import type { Policies } from '../../iam/policies.ts';
import { ACCOUNT_ID } from '../../kernel/account.ts';
import { type Form, queryService } from '../../kernel/aws-query.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AwsError, type Service, type ServiceRequest } from '../../kernel/service.ts';

/** STS with AssumeRole for roles of the template. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */

/** A role assumed by a role (role chaining) lasts an hour at most. */
const MAX_CHAINED_SECONDS = 3600;

const AssumeRole = z.strictObject({
  Action: z.literal('AssumeRole'),
  Version: z.string(),
  RoleArn: z.string().min(20).max(2048),
  RoleSessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/),
  /** Only the characters that STS accepts: others must be escaped in the JSON. */
  Policy: z
    .string()
    .max(2048)
    .regex(/^[\t\n\r\u0020-\u00FF]+$/)
    .refine(isJson, { error: 'is not JSON' })
    .optional(),
  DurationSeconds: z.coerce.number().int().min(900).max(43_200).default(MAX_CHAINED_SECONDS),
});

export function createSts(
  clock: Pick<Clock, 'now'>,
  { credentials, policies }: { credentials: CredentialStore; policies: Policies },
): Service {
  function assumeRole(form: Form, request: ServiceRequest): object {
    const parsed = AssumeRole.safeParse(Object.fromEntries(form));
    if (!parsed.success) throw new AwsError('ValidationError', 400, z.prettifyError(parsed.error));
    const { RoleArn: arn, RoleSessionName: name, Policy: policy, DurationSeconds: seconds } = parsed.data;
    // On AWS one of the two can suffice, if the trust policy names the caller itself. Here both must allow it.
    request.authorize({ action: 'sts:AssumeRole', resource: arn });
    if (!policies.trusts(arn, request.principal)) {
      throw new AwsError('AccessDenied', 403, `The trust policy of ${arn} does not let the caller take it.`);
    }
    if (seconds > MAX_CHAINED_SECONDS && request.principal.type === 'role') {
      const message =
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining';
      throw new AwsError('ValidationError', 400, message);
    }
    const expiresAt = clock.now() + seconds * 1000;
    const session = { name, ...(policy !== undefined && { policy }), expiresAt };
    const issued = credentials.issue({ type: 'role', arn, session });
    const role = arn.slice(arn.lastIndexOf('/') + 1);
    return {
      AssumedRoleUser: {
        Arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role}/${name}`,
        AssumedRoleId: `AROA${randomBytes(8).toString('hex').toUpperCase()}:${name}`,
      },
      Credentials: {
        AccessKeyId: issued.accessKeyId,
        SecretAccessKey: issued.secretAccessKey,
        SessionToken: issued.sessionToken ?? '',
        Expiration: new Date(expiresAt).toISOString(),
      },
    };
  }

  const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';
  return queryService({ name: 'sts', title: 'STS', namespace, operations: { AssumeRole: assumeRole } });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
