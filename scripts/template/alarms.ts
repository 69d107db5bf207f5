/** Checks that alarms reach people: a custom policy replaces a topic's default one, which lets alarms publish. */
import { isRecord, type Problem, type Template } from './problem.ts';

const ACTIONS = ['AlarmActions', 'OKActions', 'InsufficientDataActions'];
const PUBLISHER = 'cloudwatch.amazonaws.com';

/** @returns a problem for each topic of an alarm whose policy has no Allow for CloudWatch */
export function checkAlarmTopics(template: Template): Problem[] {
  const told = new Set(
    Object.values(template.Resources)
      .filter(({ Type }) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(Type))
      .flatMap(({ Properties = {} }) => ACTIONS.flatMap((name) => listOf(Properties[name]).map(refOf))),
  );
  return Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
    if (Type !== 'AWS::SNS::TopicPolicy' || !listOf(Properties.Topics).some((topic) => told.has(refOf(topic))))
      return [];
    const { Statement } = isRecord(Properties.PolicyDocument) ? Properties.PolicyDocument : {};
    if (listOf(Statement).some(letsAlarmsPublish)) return [];
    const message = `no statement lets ${PUBLISHER} publish, so that no alarm reaches the topic`;
    return [{ logicalId, type: Type, path: 'Properties.PolicyDocument', message }];
  });
}

function letsAlarmsPublish(statement: unknown): boolean {
  if (!isRecord(statement) || statement.Effect !== 'Allow' || !isRecord(statement.Principal)) return false;
  const publishes = listOf(statement.Action).some((action) => String(action).toLowerCase() === 'sns:publish');
  return publishes && listOf(statement.Principal.Service).includes(PUBLISHER);
}

function refOf(value: unknown): unknown {
  return isRecord(value) ? value.Ref : value;
}

function listOf(value: unknown): unknown[] {
  return value === undefined ? [] : [value].flat();
}
