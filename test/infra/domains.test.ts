import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { readConfiguration } from '../../lib/configuration.ts';
import { DOMAINS } from './domains.ts';
import { functionNamed, synthesize } from './synthesize.ts';

it('delivery and API are under the domains that the configuration names, and so are the addresses in answers', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const playbackPublicKeyPem = publicKey.export({ type: 'spki', format: 'pem' });
  const { template } = await synthesize({ ...DOMAINS, playbackPublicKeyPem, playbackPrivateKeySecret: 'playback' });
  template.hasResourceProperties('AWS::CloudFront::Distribution', {
    DistributionConfig: {
      Aliases: ['media.example.com'],
      ViewerCertificate: {
        AcmCertificateArn: DOMAINS.deliveryCertificateArn,
        MinimumProtocolVersion: 'TLSv1.2_2021',
        SslSupportMethod: 'sni-only',
      },
    },
  });
  template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
    DomainName: 'api.example.com',
    DomainNameConfigurations: [
      { CertificateArn: DOMAINS.apiCertificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
    ],
  });
  const [api = ''] = Object.keys(template.findResources('AWS::ApiGatewayV2::Api'));
  template.hasResourceProperties('AWS::ApiGatewayV2::ApiMapping', { ApiId: { Ref: api } });
  template.hasOutput('DeliveryUrl', { Value: 'https://media.example.com' });
  template.hasOutput('ApiUrl', { Value: 'https://api.example.com' });
  expect(Object.keys(template.findOutputs('*'))).toEqual(expect.arrayContaining(['DeliveryTarget', 'ApiTarget']));
  expect(functionNamed(template, 'api').properties.Environment.Variables).toMatchObject({
    DELIVERY_URL: 'https://media.example.com',
    COOKIE_DOMAIN: 'example.com',
  });
  // The addresses that the API names are redirected by the distribution, which nothing else makes it wait for.
  const [distribution] = Object.keys(template.findResources('AWS::CloudFront::Distribution'));
  const { logicalId } = functionNamed(template, 'api');
  expect(template.toJSON().Resources[logicalId].DependsOn).toContain(distribution);

  // Which pages may read private media with cookies.
  const functions = Object.values(template.findResources('AWS::CloudFront::Function'));
  const cors = functions.find(({ Properties }) => Properties.FunctionCode.includes('access-control'));
  const own = new RegExp(/^const OWN = \/(.*)\/;$/m.exec(cors?.Properties.FunctionCode)?.[1] ?? '');
  const ours = ['https://example.com', 'https://www.example.com', 'https://a.b.example.com:8443'];
  const others = [
    'http://example.com',
    'https://notexample.com',
    'https://example.com.evil.org',
    'https://examplexcom',
  ];
  expect([...ours, ...others].filter((origin) => own.test(origin))).toEqual(ours);
});

it.each([
  ['a domain without its certificate', { deliveryDomain: 'media.example.com' }, 'dropreel.deliveryCertificateArn'],
  [
    'a certificate for CloudFront of another region than us-east-1',
    { ...DOMAINS, deliveryCertificateArn: DOMAINS.apiCertificateArn },
    'dropreel.deliveryCertificateArn',
  ],
  [
    'cookies for a domain that delivery is not under',
    { ...DOMAINS, cookieDomain: 'ample.com' },
    'dropreel.cookieDomain',
  ],
  ['cookies without a domain for delivery', { cookieDomain: 'example.com' }, 'dropreel.cookieDomain'],
])('%s is refused', (_, given, key) => {
  expect(() => readConfiguration(given)).toThrow(key);
});
