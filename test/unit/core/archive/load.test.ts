import { expect, test } from 'vitest';
import { loadBetween, parseStat, ticksOf, whyPaused } from '../../../../core/archive/load.ts';

const stat = (numbers: string) => `cpu  ${numbers} 7 8\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 12345\n`;
/** user, nice, system, idle, iowait, irq, softirq, steal */
const BEFORE = parseStat(stat('100 50 30 1000 20 1 2 3'));
const AFTER = parseStat(stat('140 110 40 1060 40 2 3 5'));

test('the ticks of all processors, without those of guests, which are counted as user', () => {
  expect(BEFORE).toEqual({ busy: 186, iowait: 20, total: 1206 });
});

test('a load is that of others, in percent of all time', () => {
  expect(loadBetween(BEFORE, AFTER, 60)).toEqual({ cpu: (100 * 54) / 194, ioWait: (100 * 20) / 194 });
});

test('more ticks of its own than there were, by rounding, are none of others', () => {
  expect(loadBetween(BEFORE, AFTER, 500).cpu).toBe(0);
});

test('the ticks of a process and of its children that have ended, whatever its name', () => {
  expect(ticksOf('42 (a) 1 2 (b) R 1 42 42 0 -1 4194304 100 0 0 0 250 30 5 2 20 0 1 0 5000 1000000 200')).toBe(287);
});

test.each([
  [15, 5, undefined],
  [15.6, 0, 'other processes use 16 % of the processors, above 15 %'],
  [0, 9.4, 'the machine waits 9 % for its disks, above 5 %'],
])('at %d %% and %d %%: %s', (cpu, ioWait, reason) => {
  expect(whyPaused({ cpu, ioWait }, { maxCpuPercent: 15, maxIoWaitPercent: 5 })).toBe(reason);
});

test('what is not /proc/stat is refused', () => {
  expect(() => parseStat('cpu0 1 2 3')).toThrow('/proc/stat has no line of all processors.');
});
