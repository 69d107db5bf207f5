import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { groupUsage } from '../../../services/batch/processes.ts';

const MIB = 2 ** 20;

/** Leader of a group with a child: each holds 100 MiB, and says so. */
const TWO_HOLD_100_MIB = `
const hold = "globalThis.held = Buffer.alloc(100 * 2 ** 20, 1); console.log('held'); setInterval(() => {}, 1000);";
require('node:child_process').spawn(process.execPath, ['-e', hold], { stdio: 'inherit' });
eval(hold);
`;

test.skipIf(process.platform !== 'linux')(
  "a process group's memory is that of all its processes, without their program files",
  async () => {
    const leader = spawn(process.execPath, ['-e', TWO_HOLD_100_MIB], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pid = 0 } = leader;
    try {
      let said = '';
      for await (const text of leader.stdout) {
        said += text;
        if (said === 'held\nheld\n') break;
      }
      const usage = await groupUsage(pid);
      expect(usage?.memoryBytes).toBeGreaterThan(200 * MIB);
      // Each has a heap of its own. Counted with its program, it would be some 40 MiB more.
      expect(usage?.memoryBytes).toBeLessThan(250 * MIB);
      expect(usage?.cpuSeconds).toBeGreaterThan(0);
    } finally {
      process.kill(-pid, 'SIGKILL');
      await once(leader, 'exit');
    }
  },
);
