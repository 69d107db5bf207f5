import type { Command } from 'commander';
import { addPresetsDiff } from './diff.ts';
import { addPresetsLs } from './ls.ts';
import { addPresetsRm } from './rm.ts';
import { addPresetsRollOut } from './roll-out.ts';
import { addPresetsSet } from './set.ts';
import { addPresetsShow } from './show.ts';

export function addPresets(program: Command): void {
  const presets = program.command('presets').description('list, show, make, change, compare and delete presets');
  for (const add of [addPresetsLs, addPresetsShow, addPresetsSet, addPresetsDiff, addPresetsRollOut, addPresetsRm])
    add(presets);
}
