import { REGION } from '../../kernel/account.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named, numbered } from '../../template/identity.ts';
import { refusedPoolChanges } from './refused-changes.ts';
import { type Cognito, startCognito } from './service.ts';
import { type CognitoResources, readResources } from './template.ts';

export const cognito: ServicePlugin<CognitoResources | undefined, Cognito | undefined> = {
  name: 'cognito-idp',
  types: {
    'AWS::Cognito::UserPool': {
      identity: numbered(9, (id) => {
        const pool = `${REGION}_${id}`;
        const provider = `cognito-idp.${REGION}.amazonaws.com/${pool}`;
        return {
          ref: pool,
          attributes: {
            UserPoolId: pool,
            Arn: arnOf('cognito-idp', `userpool/${pool}`),
            ProviderName: provider,
            ProviderURL: `https://${provider}`,
          },
        };
      }),
      holdsData: true,
      refusedChanges: refusedPoolChanges,
    },
    'AWS::Cognito::UserPoolClient': {
      identity: numbered(26, (id) => ({ attributes: { ClientId: id, Name: id } })),
      createOnly: ['GenerateSecret', 'UserPoolId'],
    },
    'AWS::Cognito::UserPoolResourceServer': {
      identity: named('Identifier', 256, () => ({})),
      createOnly: ['Identifier', 'UserPoolId'],
    },
    'AWS::Cognito::UserPoolDomain': {
      identity: named('Domain', 63, () => ({})),
      createOnly: ['Domain', 'UserPoolId'],
      hosts: ({ ref }) => [`${ref}.auth.${REGION}.amazoncognito.com`],
    },
  },
  server: 'issuer',
  directory: 'cognito',
  read: readResources,
  open: async (resources, context) => {
    if (!resources) return { handle: undefined };
    const { developer, port } = context;
    const made = await startCognito(context, { ...resources, developer, port });
    return { handle: made, state: { close: made.close, crash: made.close } };
  },
};
