import { z } from 'zod';
import { jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import { AwsError, type Service } from '../../kernel/service.ts';

const StopTask = z.object({ cluster: z.string().optional(), task: z.string(), reason: z.string().default('') });

/** ECS's reason for a task whose Spot capacity is taken back, and the only reason with which a task can be stopped here. */
const RECLAIMED = 'Your Spot Task was interrupted.';

/**
 * StopTask for AWS Batch's tasks.
 * @param stopTask returns false when no such task is running
 */
export function createEcs(stopTask: (taskArn: string) => boolean): Service {
  return {
    name: 'ecs',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      const name = operationOf(request.headers);
      if (name !== 'StopTask')
        throw new AwsError('InvalidParameterException', 400, `ECS ${name} is not served locally.`);
      const { success, data } = StopTask.safeParse(await readInput(request.body));
      if (!success) throw new AwsError('InvalidParameterException', 400, 'task is required.');
      request.authorize({ action: 'ecs:StopTask', resource: data.task });
      if (data.reason !== RECLAIMED) {
        const message = `Locally a task can be stopped with the reason "${RECLAIMED}" only.`;
        throw new AwsError('InvalidParameterException', 400, message);
      }
      if (!stopTask(data.task)) {
        throw new AwsError('InvalidParameterException', 400, 'The referenced task was not found.');
      }
      return jsonResponse('1.1', { task: { taskArn: data.task, desiredStatus: 'STOPPED' } });
    },
    renderError: (error) => jsonError('1.1', error),
  };
}
