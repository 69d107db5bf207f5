import { REGION } from '../account.ts';
import type { Identity } from '../template/identity.ts';
import type { Ports } from './ports.ts';

/** Which local server a host name of AWS leads to, for the resources that have one. */
export function localHosts(
  ports: Ports,
  resources: ReadonlyMap<string, { type: string; identity: Identity }>,
): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const { type, identity } of resources.values()) {
    if (type === 'AWS::ApiGatewayV2::Api') {
      hosts.set(`${identity.ref}.execute-api.${REGION}.amazonaws.com`, `127.0.0.1:${ports.api}`);
    } else if (type === 'AWS::CloudFront::Distribution') {
      hosts.set(identity.attributes.DomainName ?? '', `127.0.0.1:${ports.delivery}`);
    } else if (type === 'AWS::Cognito::UserPoolDomain') {
      hosts.set(`${identity.ref}.auth.${REGION}.amazoncognito.com`, `127.0.0.1:${ports.issuer}`);
    }
  }
  return hosts;
}
