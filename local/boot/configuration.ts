import { readDefinitions } from '../batch/template.ts';
import { readCognito } from '../cognito/template.ts';
import { readDelivery } from '../delivery/template.ts';
import { readTables } from '../dynamodb/template.ts';
import { readEvents } from '../events/template.ts';
import { readApi } from '../http-api/template.ts';
import { createPolicies, type Policies } from '../iam/policies.ts';
import { readResourcePolicies, readRoles } from '../iam/template.ts';
import { readFunctions } from '../lambda/template.ts';
import { readBuckets } from '../s3/template.ts';
import { checkRuleSchedules, readSchedules } from '../scheduler/template.ts';
import { readQueues } from '../sqs/template.ts';
import { TemplateProblems } from '../template/errors.ts';
import { type LoadedTemplate, loadTemplate } from '../template/load.ts';
import { PropertyReader } from '../template/read.ts';
import type { Secrets } from '../template/secrets.ts';
import { localHosts } from './hosts.ts';
import { checkDestinations, checkMappings } from './mappings.ts';
import type { Ports } from './ports.ts';
import { SERVED_TYPES } from './served.ts';

/** What each service is made with. */
export type Configuration = Awaited<ReturnType<typeof readConfiguration>>;

/** Reads the synthesized template for every service. @throws TemplateProblems with all that can't be served */
export async function readConfiguration(assembly: string, ports: Ports, secrets: Secrets) {
  const endpoint = `http://127.0.0.1:${ports.gateway}`;
  const template = await loadTemplate({
    assembly,
    endpoint,
    served: SERVED_TYPES,
    secrets,
    hosts: (resources) => localHosts(ports, resources),
  });
  const reader = new PropertyReader();
  const { functions, mappings } = readFunctions(template, reader);
  const events = readEvents(template, reader);
  checkRuleSchedules(events.rules, template, reader);
  const roles = readRoles(template, reader);
  const resourcePolicies = readResourcePolicies(template);
  const configuration = {
    endpoint,
    outputs: template.outputs,
    assets: template.assets,
    buckets: readBuckets(template, reader),
    queues: readQueues(template, reader),
    tables: readTables(template, reader),
    events,
    schedules: readSchedules(template, reader),
    functions,
    mappings,
    batch: batchResources(template),
    api: apiResources(template),
    cognito: cognitoResources(template),
    delivery: deliveryResources(template),
  };
  const { batch, api, cognito, delivery } = configuration;
  let policies: Policies | undefined;
  const checks = [
    () => readDefinitions(batch),
    () => api && readApi(api),
    () => cognito && readCognito(cognito),
    () => delivery && readDelivery(delivery),
    () => {
      policies = createPolicies({ roles, resourcePolicies });
      reader.problems.push(...checkMappings(mappings, functions, configuration.queues, policies));
      reader.problems.push(...checkDestinations(functions, policies));
    },
  ];
  for (const check of checks) {
    try {
      check();
    } catch (error) {
      reader.problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (!policies || reader.problems.length > 0) throw new TemplateProblems(assembly, reader.problems);
  return { ...configuration, policies };
}

function batchResources(template: LoadedTemplate) {
  const ofType = (type: string, attribute: string) =>
    template
      .ofType(`AWS::Batch::${type}`)
      .map(({ attributes, properties }) => ({ arn: attributes[attribute] ?? '', properties }));
  return {
    computeEnvironments: ofType('ComputeEnvironment', 'ComputeEnvironmentArn'),
    jobQueues: ofType('JobQueue', 'JobQueueArn'),
    jobDefinitions: ofType('JobDefinition', 'JobDefinitionArn'),
    schedulingPolicies: ofType('SchedulingPolicy', 'Arn'),
  };
}

function byRef(template: LoadedTemplate, type: string) {
  return template.ofType(type).map(({ ref, properties }) => ({ id: ref, properties }));
}

function apiResources(template: LoadedTemplate) {
  const ofType = (type: string) => byRef(template, `AWS::ApiGatewayV2::${type}`);
  const [api] = ofType('Api');
  if (!api) return undefined;
  return {
    api,
    routes: ofType('Route'),
    integrations: ofType('Integration'),
    authorizers: ofType('Authorizer'),
    stages: ofType('Stage'),
  };
}

function cognitoResources(template: LoadedTemplate) {
  const ofType = (type: string) => byRef(template, `AWS::Cognito::${type}`);
  const pools = template.ofType('AWS::Cognito::UserPool');
  if (pools.length === 0) return undefined;
  return {
    userPools: pools.map(({ ref, attributes, properties }) => ({
      id: ref,
      properties,
      issuer: attributes.ProviderURL ?? '',
    })),
    clients: ofType('UserPoolClient'),
    resourceServers: ofType('UserPoolResourceServer'),
    domains: ofType('UserPoolDomain'),
  };
}

function deliveryResources(template: LoadedTemplate) {
  const ofType = (type: string) => byRef(template, `AWS::CloudFront::${type}`);
  const [distribution] = ofType('Distribution');
  if (!distribution) return undefined;
  return {
    distribution,
    originAccessControls: ofType('OriginAccessControl'),
    responseHeadersPolicies: ofType('ResponseHeadersPolicy'),
    functions: ofType('Function'),
    publicKeys: ofType('PublicKey'),
    keyGroups: ofType('KeyGroup'),
  };
}
