import { REGION } from '../../kernel/account.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { named, numbered } from '../../template/identity.ts';
import { cognito } from '../cognito/plugin.ts';
import { lambda } from '../lambda/plugin.ts';
import { type HttpApi, startHttpApi } from './service.ts';
import { type ApiResources, readResources } from './template.ts';

export const apigateway: ServicePlugin<ApiResources | undefined, HttpApi | undefined> = {
  name: 'execute-api',
  types: {
    'AWS::ApiGatewayV2::Api': {
      identity: numbered(10, (id) => ({
        attributes: { ApiId: id, ApiEndpoint: `https://${id}.execute-api.${REGION}.amazonaws.com` },
      })),
      createOnly: ['ProtocolType'],
      hosts: ({ ref }) => [`${ref}.execute-api.${REGION}.amazonaws.com`],
    },
    'AWS::ApiGatewayV2::Route': {
      createOnly: ['ApiId'],
    },
    'AWS::ApiGatewayV2::Integration': {
      createOnly: ['ApiId'],
    },
    'AWS::ApiGatewayV2::Authorizer': {
      createOnly: ['ApiId'],
    },
    'AWS::ApiGatewayV2::Stage': {
      identity: named('StageName', 128, () => ({})),
      createOnly: ['ApiId', 'StageName'],
    },
    'AWS::ApiGatewayV2::DomainName': {
      identity: named('DomainName', 255, (name) => ({
        attributes: { RegionalDomainName: `${name}.regional.invalid`, RegionalHostedZoneId: 'Z1UJRXOUMOOFQ8' },
      })),
      createOnly: ['DomainName'],
      hosts: ({ name }) => [name],
      inert: 'The API does not answer under its name, or accepts old TLS',
    },
    'AWS::ApiGatewayV2::ApiMapping': {
      createOnly: ['DomainName'],
      inert: 'The name leads to no API, or to another',
    },
  },
  read: readResources,
  open: async (resources, context) => {
    if (!resources) return { handle: undefined };
    const issuer = context.of(cognito);
    const made = await startHttpApi(context, {
      ...resources,
      port: context.port,
      meter: context.meter,
      locateIssuer: (url) => issuer?.locate(url) ?? url,
      invoke: context.of(lambda).invoke,
    });
    return { handle: made, state: { close: made.close, crash: made.close } };
  },
  server: 'api',
  /** HTTP APIs, for each 512 KB of a call. https://aws.amazon.com/api-gateway/pricing/ */
  rate: (counted, { httpApi }) =>
    counted.startsWith('http-api:requests')
      ? { what: 'API Gateway', unit: 'requests', usdPerUnit: httpApi.request }
      : undefined,
};
