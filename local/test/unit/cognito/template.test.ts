import { expect, it } from 'vitest';
import { readCognito } from '../../../services/cognito/template.ts';

const rotating = (ExplicitAuthFlows?: string[]) =>
  readCognito({
    userPools: [{ id: 'pool', issuer: 'https://issuer.example', properties: {} }],
    clients: [
      {
        id: 'page',
        properties: {
          UserPoolId: 'pool',
          RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 60 },
          ...(ExplicitAuthFlows && { ExplicitAuthFlows }),
        },
      },
    ],
    resourceServers: [],
    domains: [],
  });

it.each([
  ['with ALLOW_REFRESH_TOKEN_AUTH', ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH']],
  ['with the default flows', undefined],
])('rotation of refresh tokens %s is refused', (_, flows) => {
  expect(() => rotating(flows)).toThrow('page: rotation of refresh tokens and ALLOW_REFRESH_TOKEN_AUTH');
});

it('rotation of refresh tokens is served with other flows', () => {
  expect(rotating(['ALLOW_USER_SRP_AUTH']).clients).toMatchObject([{ id: 'page' }]);
});
