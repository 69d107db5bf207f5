import { expect, it } from 'vitest';
import { fragmentRisks } from '../../../services/mediaconvert/rules.ts';
import { CreateJob } from '../../../services/mediaconvert/schema.ts';
import { job, picture, sound, streams } from '../../support/mediaconvert-request.ts';

function risks(fragmentLength: number, settings: object): string[] {
  const made = picture();
  const rate = { framerateControl: 'SPECIFIED', framerateNumerator: 30_000, framerateDenominator: 1001 };
  Object.assign(made.videoDescription.codecSettings.h264Settings, { gopSizeUnits: 'FRAMES', ...rate, ...settings });
  const group = streams(made, sound());
  Object.assign(group.outputGroupSettings.cmafGroupSettings, { fragmentLength });
  return fragmentRisks(CreateJob.parse(job(group))).map(({ path, text }) => `${path}: ${text}`);
}

it.each([
  ['the groups are half a picture off', 2, { gopSize: 60 }, []],
  ['several groups are a fragment', 4, { gopSize: 60 }, []],
  ['a group is longer', 2, { gopSize: 62 }, ['/outputGroups/0/outputs/0: fragments of 2 s with groups of 2.069 s']],
  [
    'not every group is closed',
    2,
    { gopSize: 60, gopClosedCadence: 2 },
    [expect.stringContaining('groups of 4.004 s')],
  ],
  ['groups are in seconds', 3, { gopSizeUnits: 'SECONDS', gopSize: 2 }, [expect.stringContaining('groups of 2.000 s')]],
  [
    'the rate is not known',
    2,
    { gopSize: 62, framerateControl: 'INITIALIZE_FROM_SOURCE', framerateNumerator: undefined },
    [],
  ],
])('fragments and groups of pictures, where %s', (_, fragmentLength, settings, expected) => {
  expect(risks(fragmentLength, settings)).toEqual(expected);
});
