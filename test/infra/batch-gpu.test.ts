import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { functionNamed, roleStatements, synthesize } from './synthesize.ts';

let template: Template;
let without: Template;
beforeAll(async () => {
  ({ template } = await synthesize({ gpuEngine: { maxVcpus: 16 } }));
  ({ template: without } = await synthesize());
});

type Properties = Record<string, Record<string, unknown> & unknown[]>;
const ofGpu = (type: string) =>
  Object.entries(template.findResources(type)).flatMap(([id, { Properties }]) =>
    id.startsWith('EncodeGpu') ? [Properties as Properties] : [],
  );

describe('a deployment with GPU workers', () => {
  it('has instances with one GPU each, from zero, Spot first, on the image with drivers', () => {
    const environments = ofGpu('AWS::Batch::ComputeEnvironment').map(({ ComputeResources }) => ComputeResources);
    expect(environments).toMatchObject([
      { Type: 'SPOT', AllocationStrategy: 'SPOT_PRICE_CAPACITY_OPTIMIZED', MinvCpus: 0, MaxvCpus: 12 },
      { Type: 'EC2', AllocationStrategy: 'BEST_FIT_PROGRESSIVE', MinvCpus: 0, MaxvCpus: 4 },
    ]);
    for (const resources of environments) {
      expect(resources?.InstanceTypes).toEqual(['g4dn.xlarge', 'g5.xlarge', 'g6.xlarge']);
      expect(resources?.Ec2Configuration).toEqual([{ ImageType: 'ECS_AL2023_NVIDIA' }]);
    }
    const queues = ofGpu('AWS::Batch::JobQueue').map(({ Priority, ComputeEnvironmentOrder: order }) => [
      Priority,
      order?.length,
    ]);
    expect(queues).toEqual([
      [10, 2],
      [1, 2],
      [10, 1],
    ]);
  });

  it('gives a host an encrypted disk, scratch on its own NVMe disk before Docker starts, and its credentials to no container', () => {
    const [{ LaunchTemplateData: data = {} } = {}] = ofGpu('AWS::EC2::LaunchTemplate');
    expect(data).toMatchObject({
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { Encrypted: true, VolumeSize: 40, VolumeType: 'gp3' } }],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    });
    const userData = JSON.stringify(data);
    expect(userData).toContain('Content-Type: multipart/mixed');
    expect(userData).toContain('text/cloud-boothook');
    expect(userData).toContain('mount -o nosuid,nodev,noexec');
    // An instance has no address unless its subnet gives it one.
    for (const { Properties } of Object.values(template.findResources('AWS::EC2::Subnet'))) {
      expect(Properties.MapPublicIpOnLaunch).toBe(true);
    }
  });

  it('lets a host join its cluster by the role that ECS asks for, and nothing else', () => {
    const roles = template.findResources('AWS::IAM::Role');
    const profiles = ofGpu('AWS::IAM::InstanceProfile');
    expect(profiles).toHaveLength(2);
    for (const { Roles: [role] = [] } of profiles) {
      const { Properties } = roles[(role as { Ref: string }).Ref] ?? {};
      expect(JSON.stringify(Properties.ManagedPolicyArns)).toMatch(/AmazonEC2ContainerServiceforEC2Role"\]\]\}\]$/);
      expect(Properties.Policies).toBeUndefined();
      expect(Properties.AssumeRolePolicyDocument.Statement[0].Principal).toEqual({ Service: 'ec2.amazonaws.com' });
    }
  });

  it('asks for the whole of a host: its GPU, with the encoder of its driver, and all vCPUs', () => {
    const [definition = {}] = ofGpu('AWS::Batch::JobDefinition');
    expect(definition.PlatformCapabilities).toEqual(['EC2']);
    expect(definition.ContainerProperties).toMatchObject({
      ResourceRequirements: [
        { Type: 'GPU', Value: '1' },
        { Type: 'VCPU', Value: '4' },
        { Type: 'MEMORY', Value: '14336' },
      ],
      ReadonlyRootFilesystem: true,
      Volumes: [{ Name: 'scratch', Host: { SourcePath: '/scratch' } }],
    });
    const environment = definition.ContainerProperties?.Environment as { Name: string; Value: unknown }[];
    expect(environment).toContainEqual({ Name: 'USE_GPU', Value: 'true' });
    expect(environment).toContainEqual({ Name: 'NVIDIA_DRIVER_CAPABILITIES', Value: 'compute,utility,video' });
    for (const key of ['EphemeralStorage', 'NetworkConfiguration', 'FargatePlatformConfiguration', 'RuntimePlatform']) {
      expect(definition.ContainerProperties).not.toHaveProperty(key);
    }
  });

  it('shares the image, the roles and the retries of the other workers', () => {
    const definitions = Object.entries(template.findResources('AWS::Batch::JobDefinition'));
    const [gpu, fargate] = ['EncodeGpu', 'EncodeTranscoder'].map(
      (start) => definitions.find(([id]) => id.startsWith(start))?.[1].Properties,
    );
    for (const key of ['Image', 'JobRoleArn', 'ExecutionRoleArn', 'LogConfiguration']) {
      expect(gpu?.ContainerProperties[key]).toEqual(fargate?.ContainerProperties[key]);
    }
    for (const key of ['RetryStrategy', 'Timeout']) expect(gpu?.[key]).toEqual(fargate?.[key]);
  });

  it('lets the four functions submit there that it connects', () => {
    const submitting = roleStatements(template).filter(({ statement }) => {
      return [statement.Action].flat().includes('batch:SubmitJob') && JSON.stringify(statement).includes('EncodeGpu');
    });
    const roleOf = (name: string) => functionNamed(template, name).properties.Role['Fn::GetAtt'][0];
    const connected = ['ingest-upload', 'track-job', 'sweep', 'api'];
    expect(submitting.map(({ role }) => role).sort()).toEqual(connected.map(roleOf).sort());
    for (const name of connected) {
      expect(functionNamed(template, name).properties.Environment.Variables).toHaveProperty('GPU_JOB_QUEUE');
    }
  });
});

it('a deployment without them has no instances, and changes nothing of the other workers', () => {
  without.resourceCountIs('AWS::EC2::LaunchTemplate', 0);
  without.resourceCountIs('AWS::Batch::ComputeEnvironment', 2);
  for (const type of ['AWS::Batch::JobQueue', 'AWS::Batch::JobDefinition', 'AWS::Batch::ComputeEnvironment']) {
    for (const [id, resource] of Object.entries(without.findResources(type))) {
      expect(template.findResources(type)[id]).toEqual(resource);
    }
  }
});
