import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import type { PropertyReader } from '../../template/read.ts';

export interface Topic {
  arn: string;
  /** Undefined: SNS's default policy, which lets the account's alarms publish. */
  policy: unknown;
}

const TopicPolicy = z.strictObject({ Topics: z.array(z.string()), PolicyDocument: z.unknown() });

/** Reads the topics with their policies. Problems are recorded in the reader. */
export function readTopics(template: LoadedTemplate, reader: PropertyReader): Topic[] {
  const policies = new Map<string, unknown>();
  for (const resource of template.ofType('AWS::SNS::TopicPolicy')) {
    const policy = reader.read(resource, TopicPolicy);
    // A topic has one policy: this one replaces the default.
    for (const arn of policy?.Topics ?? []) policies.set(arn, policy?.PolicyDocument);
  }
  return template.ofType('AWS::SNS::Topic').map(({ ref: arn }) => ({ arn, policy: policies.get(arn) }));
}
