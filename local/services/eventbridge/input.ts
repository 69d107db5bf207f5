import { isRecord } from '../../template/json.ts';
import type { Target } from './template.ts';

/** The input of a target for an event (JSON text), after Input, InputPath or InputTransformer. */
export function inputFor(target: Target, event: string, ruleArn: string): string {
  if (target.input !== undefined) return target.input;
  if (target.inputPath !== undefined) return JSON.stringify(atPath(JSON.parse(event), target.inputPath) ?? null);
  if (!target.transformer) return event;
  const parsed: unknown = JSON.parse(event);
  const { paths, template } = target.transformer;
  const variables: Record<string, unknown> = {
    'aws.events.rule-arn': ruleArn,
    'aws.events.event.json': parsed,
    ...Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, atPath(parsed, path)])),
  };
  return fill(template, variables);
}

/**
 * Within a JSON string, a variable is inserted as text; elsewhere as JSON.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
function fill(template: string, variables: Readonly<Record<string, unknown>>): string {
  let inString = false;
  return template.replace(/\\.|"|<([A-Za-z0-9._-]+)>/g, (part: string, name: string | undefined) => {
    if (name === undefined) {
      if (part === '"') inString = !inString;
      return part;
    }
    const value = variables[name];
    if (!inString) return JSON.stringify(value) ?? 'null';
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return JSON.stringify(text).slice(1, -1);
  });
}

/** EventBridge's JSON path: dots and indexes only. */
function atPath(value: unknown, path: string): unknown {
  let current = value;
  for (const step of path.replace(/^\$\.?/, '').split(/\.|\[|\]\.?/)) {
    if (step === '') continue;
    if (Array.isArray(current)) current = current[Number(step)];
    else current = isRecord(current) ? current[step] : undefined;
  }
  return current;
}
