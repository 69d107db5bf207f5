export interface HoldingTest {
  /** From the root, with slashes. */
  file: string;
  title: string;
}

const stack = (title: string): HoldingTest => ({ file: 'test/infra/stack.test.ts', title });
const workers = (title: string): HoldingTest => ({ file: 'test/infra/workers.test.ts', title });
const gpu = (title: string): HoldingTest => ({ file: 'test/infra/batch-gpu.test.ts', title });
const runbook = (title: string): HoldingTest => ({ file: 'test/infra/runbook.test.ts', title });
const permissions = (title: string): HoldingTest => ({ file: 'test/infra/permissions.test.ts', title });
const domains: HoldingTest = {
  file: 'test/infra/domains.test.ts',
  title: 'delivery and API are under the domains that the configuration names, and so are the addresses in answers',
};

const ROUTES = workers('routes every subnet to the internet gateway, and to S3 by its endpoint');

/**
 * Of each resource type that does nothing in the local cloud, the tests of the template that hold what it could break on AWS (`inert` in
 * local/services/NAME/plugin.ts). What each type's schema says is held by `check:template` as well.
 */
export const HELD_BY: Readonly<Record<string, readonly HoldingTest[]>> = {
  'AWS::CloudWatch::Dashboard': [
    runbook('is text that CloudWatch can read, of metrics of AWS and of the product alone'),
  ],
  'AWS::ApiGatewayV2::DomainName': [domains],
  'AWS::ApiGatewayV2::ApiMapping': [domains],
  'AWS::Logs::LogGroup': [
    permissions('let each function write its own log, and the agent that starts workers write theirs'),
    stack('run on Node 24, arm64, each with a log group of its own that is deleted with the stack'),
  ],
  'AWS::SNS::Subscription': [runbook('notify the topic, and the topic notifies the address of the configuration')],
  'AWS::EC2::VPC': [ROUTES],
  'AWS::EC2::Subnet': [
    workers('is in the zones that the configuration names'),
    workers('is in the first two zones of the region by default'),
  ],
  'AWS::EC2::RouteTable': [ROUTES],
  'AWS::EC2::Route': [ROUTES],
  'AWS::EC2::SubnetRouteTableAssociation': [ROUTES],
  'AWS::EC2::InternetGateway': [ROUTES],
  'AWS::EC2::VPCGatewayAttachment': [ROUTES],
  'AWS::EC2::VPCEndpoint': [
    workers('has an endpoint for S3 only, for our buckets from our account, and for the layers of images'),
    ROUTES,
  ],
  'AWS::EC2::LaunchTemplate': [
    gpu(
      'gives a host an encrypted disk, scratch on its own NVMe disk before Docker starts, and its credentials to no container',
    ),
  ],
  'AWS::IAM::InstanceProfile': [gpu('lets a host join its cluster by the role that ECS asks for, and nothing else')],
  'AWS::EC2::SecurityGroup': [workers('has no NAT gateway and no inbound rule')],
  'AWS::Budgets::Budget': [runbook('of the cost notify the topic where an amount is configured')],
};
