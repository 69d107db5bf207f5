import { z } from 'zod';
import type { Policies } from '../../iam/policies.ts';
import type { LoadedTemplate } from '../../template/load.ts';
import type { PropertyReader } from '../../template/read.ts';
import type { Topic } from '../sns/template.ts';

/** An alarm evaluates no metric here; only the delivery of its actions is checked. */
export interface AlarmConfiguration {
  logicalId: string;
  name: string;
  arn: string;
  /** ARNs of topics, by the alarm's new state. */
  actionsOn: Readonly<Record<'OK' | 'ALARM' | 'INSUFFICIENT_DATA', readonly string[]>>;
  /** The same ARNs, each once. */
  actions: readonly string[];
}

const Texts = z.array(z.string()).default([]);

/** The metric's properties are ignored. */
const Alarm = z.looseObject({ AlarmActions: Texts, OKActions: Texts, InsufficientDataActions: Texts });

/** Reads the alarms. Problems are recorded in the reader. */
export function readAlarms(template: LoadedTemplate, reader: PropertyReader): AlarmConfiguration[] {
  return ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'].flatMap(template.ofType).flatMap((resource) => {
    const alarm = reader.read(resource, Alarm);
    if (!alarm) return [];
    const arns = new Set([...alarm.AlarmActions, ...alarm.OKActions, ...alarm.InsufficientDataActions]);
    return [
      {
        logicalId: resource.logicalId,
        name: resource.name,
        arn: resource.attributes.Arn ?? '',
        actionsOn: {
          ALARM: alarm.AlarmActions,
          OK: alarm.OKActions,
          INSUFFICIENT_DATA: alarm.InsufficientDataActions,
        },
        actions: [...arns],
      },
    ];
  });
}

/**
 * Returns the alarms whose actions cannot be delivered. CloudWatch has no role, so only the topic's policy can let it publish.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
 */
export function checkAlarms(
  alarms: readonly AlarmConfiguration[],
  { topics, policies }: { topics: readonly Topic[]; policies: Policies },
): string[] {
  return alarms.flatMap(({ logicalId, arn, actions }) =>
    actions.flatMap((actionArn) => {
      const topic = topics.find((one) => one.arn === actionArn);
      if (!topic)
        return [`${logicalId}: the action ${actionArn} is not a topic of the template, and no other is served`];
      if (topic.policy === undefined) return [];
      const principal = { type: 'service', service: 'cloudwatch.amazonaws.com', sourceArn: arn } as const;
      const check = { action: 'sns:Publish', resource: topic.arn, resourcePolicy: topic.policy };
      const { allowed, reason } = policies.decide(principal, check);
      return allowed ? [] : [`${logicalId}: failed to execute action ${actionArn}: ${reason}`];
    }),
  );
}
