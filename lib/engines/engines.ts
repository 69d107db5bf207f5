import { Validations } from 'aws-cdk-lib';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { HandlerFunction } from '../parts/handler-function.ts';
import type { StageProps } from '../parts/stage-props.ts';
import type { Storage } from '../storage/storage.ts';
import { BatchEngine } from './batch/batch.ts';
import { BatchGpuEngine } from './batch/gpu.ts';
import type { Connected, EngineConstruct } from './engine.ts';
import { HttpEngine } from './http/http.ts';
import { MediaConvertEngine } from './mediaconvert/mediaconvert.ts';

/** The engines of a deployment: one line for each of engines/registry.ts. */
export class Engines {
  private readonly members: readonly EngineConstruct[];
  /** Where the archive's copies are made. */
  readonly archive: BatchEngine['archive'];

  /** @param apiUrl called at the end of the synthesis */
  constructor(scope: Construct, stageProps: StageProps, storage: Storage, apiUrl: () => string) {
    const { gpuEngine, httpEngine, mediaConvert } = stageProps.configuration;
    const batch = new BatchEngine(scope, 'Encode', stageProps, storage);
    this.archive = batch.archive;
    this.members = [
      batch,
      ...(gpuEngine ? [new BatchGpuEngine(scope, 'EncodeGpu', { ...gpuEngine, batch, storage })] : []),
      ...(httpEngine ? [new HttpEngine(scope, 'HttpEngine', { ...httpEngine, storage, apiUrl })] : []),
      ...(mediaConvert
        ? [new MediaConvertEngine(scope, 'MediaConvert', { media: storage.media, workers: batch.workers })]
        : []),
    ];
  }

  /** The variables of every function that is connected with them. */
  get environment(): Record<string, string> {
    return Object.assign({}, ...this.members.map(({ environment }) => environment));
  }

  permissionsOf(handler: Connected): PolicyStatement[] {
    return this.members.flatMap(({ grants }) => grants[handler].statements);
  }

  /** Called once the function is made. */
  connect(handler: Connected, fn: HandlerFunction): void {
    for (const member of this.members) member.connect?.(handler, fn);
    this.acknowledge(handler, fn);
  }

  /** Records why the wildcards in `permissionsOf` are there. */
  private acknowledge(handler: Connected, { role }: HandlerFunction): void {
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
