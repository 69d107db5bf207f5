import type { Reporter, TestModule } from 'vitest/node';

/** Prints, at the end of `npm run test:hostile`, how many cases of each kind came to which end. */
export class HostileCounts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const kinds = new Map<string, Map<string, number>>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.result().state === 'skipped') continue;
        const { hostile } = test.meta() as { hostile?: { kind: string; outcome: string } };
        const kind = hostile?.kind ?? module.relativeModuleId;
        const outcome = test.result().state === 'failed' ? 'FAILED' : (hostile?.outcome ?? 'held');
        const counts = kinds.get(kind) ?? new Map<string, number>();
        kinds.set(kind, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
      }
    }
    let all = 0;
    for (const [kind, counts] of kinds) {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      all += total;
      const parts = [...counts].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`);
      process.stdout.write(`hostile: ${kind}: ${total} (${parts.join(', ')})\n`);
    }
    process.stdout.write(`hostile: ${all} cases in all\n`);
  }
}
