import { ACCOUNT_ID } from '../../kernel/account.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { changedOf, recordOf } from '../../template/changes.ts';
import { named, numbered } from '../../template/identity.ts';
import { s3 } from '../s3/plugin.ts';
import { s3Origin } from './origin.ts';
import { type Distribution, startDistribution } from './service.ts';
import { type DistributionResources, readResources } from './template.ts';

const withId = numbered(14, (id) => ({ attributes: { Id: id.toUpperCase() }, ref: id.toUpperCase() }));

export const cloudfront: ServicePlugin<DistributionResources | undefined, Distribution | undefined> = {
  name: 'cloudfront',
  types: {
    'AWS::CloudFront::Distribution': {
      identity: numbered(14, (id) => ({
        ref: id.toUpperCase(),
        attributes: { Id: id.toUpperCase(), DomainName: `${id}.cloudfront.net` },
      })),
      hosts: ({ attributes }, { DistributionConfig: config }) => [attributes.DomainName ?? '', ...aliasesOf(config)],
    },
    'AWS::CloudFront::OriginAccessControl': {
      identity: withId,
    },
    'AWS::CloudFront::ResponseHeadersPolicy': {
      identity: withId,
    },
    'AWS::CloudFront::CachePolicy': {
      identity: withId,
    },
    'AWS::CloudFront::OriginRequestPolicy': {
      identity: withId,
    },
    'AWS::CloudFront::PublicKey': {
      identity: withId,
      // "The only value you can change is the comment." https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdatePublicKey.html
      // CloudFormation does not replace it: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/924
      refusedChanges: (old, now) =>
        changedOf(recordOf(old.PublicKeyConfig), recordOf(now.PublicKeyConfig), [
          'EncodedKey',
          'Name',
          'CallerReference',
        ]).map((name) => `${name} stays as it was made; another key needs another logical id`),
    },
    'AWS::CloudFront::KeyGroup': {
      identity: withId,
    },
    'AWS::CloudFront::Function': {
      identity: named('Name', 64, (name) => {
        const own = `arn:aws:cloudfront::${ACCOUNT_ID}:function/${name}`;
        return { ref: own, attributes: { FunctionARN: own, 'FunctionMetadata.FunctionARN': own } };
      }),
      createOnly: ['Name'],
    },
  },
  read: readResources,
  open: async (resources, context) => {
    if (!resources) return { handle: undefined };
    const { options, port } = context;
    const made = await startDistribution(context, {
      ...resources,
      port,
      origin: s3Origin(context.of(s3).service, context.call),
      ...(options.sites && { extra: options.sites }),
    });
    return { handle: made, state: { close: made.close, crash: made.close } };
  },
  server: 'delivery',
};

function aliasesOf(config: unknown): string[] {
  const { Aliases = [] } = recordOf(config) as { Aliases?: unknown[] };
  return Aliases.filter((alias) => typeof alias === 'string');
}
