import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import { jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import { AwsError, type Service } from '../../kernel/service.ts';

const GetSecretValue = z.strictObject({
  SecretId: z.string().min(1),
  VersionStage: z.literal('AWSCURRENT').optional(),
});

/** The values of secrets by name. */
export type Secrets = Readonly<Record<string, string>>;

/**
 * Read-only Secrets Manager: names and values. They are read at each call, so that a changed value acts like a
 * rotation on AWS.
 */
export function createSecretsManager(secrets: () => Promise<Secrets>): Service {
  return {
    name: 'secretsmanager',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      if (operationOf(request.headers) !== 'GetSecretValue') {
        throw new AwsError('UnknownOperationException', 400, 'The local Secrets Manager serves GetSecretValue only.');
      }
      const input = GetSecretValue.safeParse(await readInput(request.body));
      if (!input.success) throw new AwsError('InvalidRequestException', 400, z.prettifyError(input.error));
      const { SecretId } = input.data;
      const name = SecretId.startsWith('arn:')
        ? SecretId.split(':secret:')[1]?.replace(/-[A-Za-z0-9]{6}$/, '')
        : SecretId;
      const arn = arnOf(name ?? '');
      request.authorize({ action: 'secretsmanager:GetSecretValue', resource: arn });
      const known = await secrets();
      const text = name !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
      if (name === undefined || text === undefined) {
        throw new AwsError('ResourceNotFoundException', 400, "Secrets Manager can't find the specified secret.");
      }
      return jsonResponse('1.1', {
        ARN: arn,
        Name: name,
        SecretString: text,
        VersionId: createHash('sha256').update(text).digest('hex').slice(0, 32),
        VersionStages: ['AWSCURRENT'],
      });
    },
    renderError: (error) => jsonError('1.1', error),
  };
}

/** AWS ends an ARN with a hyphen and six random characters. */
function arnOf(name: string): string {
  const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:${name}-${suffix}`;
}
