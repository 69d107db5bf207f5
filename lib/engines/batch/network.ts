import { Aws, Validations } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Configuration } from '../../configuration.ts';
import { allow } from '../../parts/allow.ts';
import type { Storage } from '../../storage/storage.ts';

/** All actions of a worker on a bucket. */
const OBJECT_ACTIONS = ['GetObject', 'GetObjectVersion', 'PutObject', 'AbortMultipartUpload'];

/**
 * Public subnets only: workers reach AWS's APIs and the image registry by their own public addresses, without a NAT gateway and its
 * charge per GB; they reach S3 by a gateway endpoint, free of charge. Nothing can connect to a worker.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, configuration: Configuration, { uploads, media }: Storage) {
    super(scope, id);
    const { availabilityZones, gpuEngine } = configuration;
    const vpc = new Vpc(this, 'Vpc', {
      // A template for any account can ask for two only: it does not know whether a region has a third.
      ...(availabilityZones ? { availabilityZones } : { maxAzs: 2 }),
      natGateways: 0,
      // Fargate gives each task an address by itself; an EC2 instance gets its own from the subnet.
      subnetConfiguration: [
        { name: 'workers', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: gpuEngine !== undefined },
      ],
      restrictDefaultSecurityGroup: false,
    });
    this.vpc = vpc as IVpc;
    Validations.of(this.vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason:
        'Workers take no connections, and each makes its own to AWS APIs only, which CloudTrail and the access logs record',
    });
    const endpoint = vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    const own = [uploads, media];
    for (const statement of [
      allow(
        's3',
        OBJECT_ACTIONS,
        own.map((bucket) => bucket.arnForObjects('*')),
      ),
      allow(
        's3',
        ['ListBucket', 'ListBucketVersions'],
        own.map((bucket) => bucket.bucketArn),
      ),
    ]) {
      // Foreign credentials used here cannot open our buckets either.
      statement.addCondition('StringEquals', { 'aws:PrincipalAccount': Aws.ACCOUNT_ID });
      statement.addPrincipals(new AnyPrincipal());
      endpoint.addToPolicy(statement);
    }
    // ECR keeps the layers of images in a bucket of AWS's. https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    const layers = allow('s3', ['GetObject'], `arn:${Aws.PARTITION}:s3:::prod-${Aws.REGION}-starport-layer-bucket/*`);
    layers.addPrincipals(new AnyPrincipal());
    endpoint.addToPolicy(layers);
    this.securityGroup = new SecurityGroup(this, 'Workers', {
      vpc: this.vpc,
      description: 'Transcoding workers: HTTPS out, nothing in',
      allowAllOutbound: false,
    });
    // To any address: among the APIs that a worker needs, only S3 has a prefix list. docs/decisions/0100-fargate.md
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs');
  }
}
