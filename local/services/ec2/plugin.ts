import type { ServicePlugin } from '../../plugin.ts';

export const ec2: ServicePlugin = {
  name: 'ec2',
  types: {
    'AWS::EC2::VPC': {
      createOnly: ['CidrBlock', 'Ipv4IpamPoolId', 'Ipv4NetmaskLength', 'VpcEncryptionControl'],
      inert: 'Names of AWS do not resolve in it, so that no worker starts',
    },
    'AWS::EC2::Subnet': {
      createOnly: [
        'AvailabilityZone',
        'AvailabilityZoneId',
        'CidrBlock',
        'Ipv4IpamPoolId',
        'Ipv4NetmaskLength',
        'Ipv6IpamPoolId',
        'Ipv6Native',
        'Ipv6NetmaskLength',
        'OutpostArn',
        'VpcId',
      ],
      inert: 'Too few zones, or some that have no Fargate: jobs wait for room',
    },
    'AWS::EC2::RouteTable': {
      createOnly: ['VpcId'],
      inert: 'As its routes',
    },
    'AWS::EC2::Route': {
      createOnly: ['DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'DestinationPrefixListId', 'RouteTableId'],
      inert: 'A worker can fetch no image and reach no API: it never starts',
    },
    'AWS::EC2::SubnetRouteTableAssociation': {
      createOnly: ['RouteTableId', 'SubnetId'],
      inert: 'A subnet has the routes of another table',
    },
    'AWS::EC2::InternetGateway': {
      inert: 'As the routes to it',
    },
    'AWS::EC2::VPCGatewayAttachment': {
      createOnly: ['VpcId'],
      inert: 'As the routes to the gateway',
    },
    'AWS::EC2::VPCEndpoint': {
      createOnly: [
        'ResourceConfigurationArn',
        'ServiceName',
        'ServiceNetworkArn',
        'ServiceRegion',
        'VpcEndpointType',
        'VpcId',
      ],
      inert: 'Its policy refuses a worker our buckets or its image, or lets it write into buckets of others',
    },
    'AWS::EC2::LaunchTemplate': {
      createOnly: ['LaunchTemplateName'],
      inert: 'A GPU worker has no room on its disk, or can ask for the credentials of its host',
    },
    'AWS::EC2::SecurityGroup': {
      createOnly: ['GroupDescription', 'GroupName', 'VpcId'],
      inert: 'Others can reach a worker, or it can reach nothing',
    },
  },
};
