import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../core/jobs/errors.ts';
import { synthesize } from './synthesize.ts';

let runbook: string;
let template: Awaited<ReturnType<typeof synthesize>>['template'];
beforeAll(async () => {
  runbook = await readFile(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  ({ template } = await synthesize());
});

describe('the runbook', () => {
  it('has a heading for each alarm, and for nothing else of that name', () => {
    const headings = [...runbook.matchAll(/^## (dropreel-\S+)$/gm)].map(([, name]) => name);
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }) => Properties.AlarmName,
    );
    expect(headings.toSorted()).toEqual(alarms.toSorted());
  });

  it('says under each heading what it means, how to look and what to do', () => {
    const sections = runbook.split(/^#+ /m).filter((section) => section.startsWith('dropreel-'));
    const incomplete = sections.filter((section) => !/\*\*Means\*\*[\s\S]*\*\*Look\*\*[\s\S]*\*\*Do\*\*/.test(section));
    expect(sections.length).toBeGreaterThan(0);
    expect(incomplete).toEqual([]);
  });

  it('lists every error code as the code has it', () => {
    const rows = runbook.split('\n').filter((line) => /^\| `\w+` \| (yes|no) \|/.test(line));
    expect(rows).toEqual(
      Object.entries(ERRORS).map(
        ([code, { transient, when, action }]) => `| \`${code}\` | ${transient ? 'yes' : 'no'} | ${when} | ${action} |`,
      ),
    );
  });
});

describe('the alarms', () => {
  it('watch the dead letters of every queue, stream and schedule', () => {
    const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
    const deadLetters = queues.filter(([, { Properties }]) => !Properties.RedrivePolicy).map(([id]) => id);
    const watched = Object.values(template.findResources('AWS::CloudWatch::Alarm'))
      .filter(({ Properties }) => Properties.MetricName === 'ApproximateNumberOfMessagesVisible')
      .map(({ Properties }) => Properties.Dimensions[0].Value['Fn::GetAtt'][0]);
    expect(deadLetters).toHaveLength(6);
    expect(watched.toSorted()).toEqual(deadLetters.toSorted());
  });

  it('tell the topic, and the topic the address of the configuration', async () => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [{ Ref: Object.keys(template.findResources('AWS::SNS::Topic'))[0] }],
    });
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    const { template: withAddress } = await synthesize({ alarmEmail: 'ops@example.com' });
    withAddress.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  });

  it('count the metrics that the functions write, by the name of each function', () => {
    const [escalated] = Object.values(
      template.findResources('AWS::CloudWatch::Alarm', { Properties: { AlarmName: 'dropreel-escalated' } }),
    );
    const metrics = escalated?.Properties.Metrics.flatMap(
      ({ MetricStat }: { MetricStat?: { Metric: unknown } }) => MetricStat?.Metric ?? [],
    );
    expect(metrics).toHaveLength(3);
    expect(metrics).toContainEqual({
      Namespace: 'dropreel',
      MetricName: 'Escalated',
      Dimensions: [{ Name: 'service', Value: 'track-job' }],
    });
  });
});
