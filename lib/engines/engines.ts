import { Validations } from 'aws-cdk-lib';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { HandlerFunction } from '../parts/handler-function.ts';
import type { StageProps } from '../parts/stage-props.ts';
import type { Storage } from '../storage/storage.ts';
import { BatchEngine } from './batch/batch.ts';
import type { Connected, EngineConstruct } from './engine.ts';

/** The engines of a deployment: one line for each of engines/registry.ts. */
export class Engines {
  private readonly members: readonly EngineConstruct[];

  constructor(scope: Construct, stageProps: StageProps, storage: Storage) {
    this.members = [new BatchEngine(scope, 'Encode', stageProps, storage)];
  }

  /** The variables of every function that is connected with them. */
  get environment(): Record<string, string> {
    return Object.assign({}, ...this.members.map(({ environment }) => environment));
  }

  permissionsOf(handler: Connected): PolicyStatement[] {
    return this.members.flatMap(({ grants }) => grants[handler].statements);
  }

  /** Records why the wildcards in `permissionsOf` are there. */
  acknowledge(handler: Connected, { role }: HandlerFunction): void {
    const acknowledged = this.members.flatMap(({ grants }) => grants[handler].acknowledged ?? []);
    if (acknowledged.length > 0) Validations.of(role).acknowledge(...acknowledged);
  }

  get events(): [id: string, pattern: EventPattern][] {
    return this.members.flatMap(({ events }) => Object.entries(events));
  }

  get outputs(): Record<string, string> {
    return Object.assign({}, ...this.members.map(({ outputs }) => outputs));
  }
}
