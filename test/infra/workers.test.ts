import { Stack } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { beforeAll, describe, expect, it } from 'vitest';
import { WORKER_IMAGE } from '../../lib/engines/batch/worker-image.ts';
import { roleStatements, synthesize } from './synthesize.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize());
});

describe('the network of the workers', () => {
  const resources = (type: string) => Object.values(template.findResources(type)).map(({ Properties }) => Properties);

  it('has an endpoint for S3 only, for our buckets from our account, and for the layers of images', () => {
    const [endpoint, ...others] = resources('AWS::EC2::VPCEndpoint');
    expect(others).toEqual([]);
    expect(JSON.stringify(endpoint.ServiceName)).toContain('.s3');
    const [objects, listing, layers] = endpoint.PolicyDocument.Statement;
    const ownAccount = { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } };
    for (const own of [objects, listing]) {
      expect(own.Condition).toEqual(ownAccount);
      expect(JSON.stringify(own.Resource)).toMatch(/StorageUploads.*StorageMedia/);
    }
    expect(layers).toEqual({
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: 's3:GetObject',
      Resource: {
        'Fn::Join': [
          '',
          ['arn:', { Ref: 'AWS::Partition' }, ':s3:::prod-', { Ref: 'AWS::Region' }, '-starport-layer-bucket/*'],
        ],
      },
    });
    expect(endpoint.PolicyDocument.Statement).toHaveLength(3);
  });

  it('routes every subnet to the internet gateway, and to S3 by its endpoint', () => {
    const ids = (type: string) => Object.keys(template.findResources(type)).map((id) => ({ Ref: id }));
    const [vpc] = ids('AWS::EC2::VPC');
    const [gateway] = ids('AWS::EC2::InternetGateway');
    const tables = ids('AWS::EC2::RouteTable');
    // Without it Amazon's DNS server does not answer. https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    template.hasResourceProperties('AWS::EC2::VPC', { EnableDnsSupport: true });
    expect(resources('AWS::EC2::VPCGatewayAttachment')).toEqual([{ VpcId: vpc, InternetGatewayId: gateway }]);
    const associations = resources('AWS::EC2::SubnetRouteTableAssociation');
    expect(associations.map(({ SubnetId }) => SubnetId)).toEqual(ids('AWS::EC2::Subnet'));
    expect(associations.map(({ RouteTableId }) => RouteTableId)).toEqual(tables);
    expect(resources('AWS::EC2::Route')).toEqual(
      tables.map((RouteTableId) => ({ RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway })),
    );
    expect(resources('AWS::EC2::VPCEndpoint')).toEqual([expect.objectContaining({ RouteTableIds: tables })]);
    // The gateway leads nobody out who has no public address. https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      ContainerProperties: { NetworkConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
  });

  it('is in the zones that the configuration names', async () => {
    const zones = ['us-west-1a', 'us-west-1b', 'us-west-1c'];
    const { template } = await synthesize({ availabilityZones: zones });
    const subnets = Object.values(template.findResources('AWS::EC2::Subnet'));
    expect(subnets.map(({ Properties }) => Properties.AvailabilityZone)).toEqual(zones);
  });

  it('is in the first two zones of the region by default', () => {
    expect(resources('AWS::EC2::Subnet')).toHaveLength(2);
  });
});

describe('the engine', () => {
  it('has no NAT gateway and no inbound rule', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    template.allResourcesProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: [
        { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0', Description: 'AWS APIs' },
      ],
    });
    template.resourcePropertiesCountIs('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' }, 1);
  });

  it('scales from zero to maxVcpus, three quarters of it on Spot, which comes first', () => {
    const environments = template.findResources('AWS::Batch::ComputeEnvironment');
    const [queue] = Object.values(template.findResources('AWS::Batch::JobQueue'));
    const resources = queue?.Properties.ComputeEnvironmentOrder.map(
      ({ ComputeEnvironment }: { ComputeEnvironment: { 'Fn::GetAtt': [string] } }) =>
        environments[ComputeEnvironment['Fn::GetAtt'][0]]?.Properties.ComputeResources,
    ) as Record<string, unknown>[];
    expect(resources.map(({ Type, MaxvCpus, MinvCpus }) => ({ Type, MaxvCpus, MinvCpus }))).toEqual([
      { Type: 'FARGATE_SPOT', MaxvCpus: 48, MinvCpus: undefined },
      { Type: 'FARGATE', MaxvCpus: 16, MinvCpus: undefined },
    ]);
  });

  it('serves uploads before re-transcodes, long and reclaimed jobs on demand only, and creators in turn', () => {
    const queues = Object.values(template.findResources('AWS::Batch::JobQueue')).map(({ Properties }) => ({
      priority: Properties.Priority,
      fair: Properties.SchedulingPolicyArn !== undefined,
      environments: Properties.ComputeEnvironmentOrder.map(
        ({ ComputeEnvironment }: { ComputeEnvironment: { 'Fn::GetAtt': string[] } }) =>
          /Spot|OnDemand/.exec(ComputeEnvironment['Fn::GetAtt'][0] ?? '')?.[0],
      ),
    }));
    expect(queues).toEqual([
      { priority: 10, fair: true, environments: ['Spot', 'OnDemand'] },
      { priority: 1, fair: true, environments: ['Spot', 'OnDemand'] },
      { priority: 10, fair: true, environments: ['OnDemand'] },
      // Copies for the archive: behind everything, and in order.
      { priority: 0, fair: false, environments: ['Spot'] },
    ]);
  });

  it('attempts a job 3 times, unless its failure is permanent', () => {
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      RetryStrategy: {
        Attempts: 3,
        EvaluateOnExit: [
          { OnExitCode: '65', Action: 'EXIT' },
          { OnExitCode: '0', Action: 'EXIT' },
          { OnStatusReason: 'Host EC2*', Action: 'RETRY' },
          { OnStatusReason: 'Your Spot Task was interrupted*', Action: 'RETRY' },
          { OnReason: '*', Action: 'RETRY' },
        ],
      },
      Timeout: { AttemptDurationSeconds: 43_200 },
    });
  });

  it('gives the container only a volume for the scratch disk to write to', () => {
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      ContainerProperties: {
        ReadonlyRootFilesystem: true,
        // A host is what AWS Batch on Fargate does not take.
        Volumes: [{ Name: 'scratch' }],
        MountPoints: [{ SourceVolume: 'scratch', ContainerPath: '/scratch', ReadOnly: false }],
      },
    });
  });

  it('has an image of an exact base and an exact FFmpeg, and another one when either changes', () => {
    expect(WORKER_IMAGE.BASE).toMatch(/^public\.ecr\.aws\/docker\/library\/node:24-trixie-slim@sha256:[0-9a-f]{64}$/);
    expect(WORKER_IMAGE.FFMPEG).toMatch(/^7:7\.1\.\d+-\d+\+deb13u\d+$/);
    const hashOf = (buildArgs: Record<string, string>) =>
      new DockerImageAsset(new Stack(), 'Image', { directory: 'containers/transcoder', buildArgs }).assetHash;
    const hash = hashOf({ ...WORKER_IMAGE });
    expect(hashOf({ ...WORKER_IMAGE })).toBe(hash);
    expect(hashOf({ ...WORKER_IMAGE, BASE: `${WORKER_IMAGE.BASE.slice(0, -1)}7` })).not.toBe(hash);
    expect(hashOf({ ...WORKER_IMAGE, FFMPEG: '7:7.1.6-0+deb13u1' })).not.toBe(hash);
  });

  it('builds the image with these arguments', async () => {
    const { images } = await synthesize();
    expect(images).toEqual([expect.objectContaining({ dockerBuildArgs: { ...WORKER_IMAGE } })]);
  });

  it('keeps the previous revision, to which functions submit until they are updated', () => {
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      ResourceRetentionPolicy: { SkipDeregisterOnUpdate: true },
    });
    const submitting = roleStatements(template).filter(({ statement }) => statement.Action === 'batch:SubmitJob');
    // ingest-upload, the API, track-job and sweep; sweep for the archive, too.
    expect(submitting).toHaveLength(5);
    for (const { statement } of submitting) {
      expect(JSON.stringify(statement.Resource)).toMatch(
        /"Fn::Split":\[":",\{"Ref":"\w+JobDefinition\w+"\}\]\}\]\},":\*"/,
      );
    }
  });

  it('has the environment that the worker reads', () => {
    const [definition] = Object.values(template.findResources('AWS::Batch::JobDefinition'));
    const names = definition?.Properties.ContainerProperties.Environment.map(({ Name }: { Name: string }) => Name);
    // DROPREEL_JOB and AWS_BATCH_* come with each job.
    expect(names).toEqual(['BUS_NAME', 'JOB_ROLE_ARN', 'SCRATCH_DIR']);
  });
});
