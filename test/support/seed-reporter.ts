import type { Reporter, TestModule } from 'vitest/node';
import { ADVERSE_SEED } from './adverse.ts';

/** Names the seed of the adverse clouds when a file of those tests failed: the same one makes the same decisions again. */
export class SeedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const failed = modules.filter((module) => module.state() === 'failed').map((module) => module.relativeModuleId);
    const adverse = failed.filter((file) => /^test\/(e2e|faults)\//.test(file));
    if (adverse.length === 0) return;
    process.stderr.write(
      `with the adverse seed ${ADVERSE_SEED}; again: DROPREEL_ADVERSE=${ADVERSE_SEED} npx vitest run ${adverse.join(' ')}\n`,
    );
  }
}
