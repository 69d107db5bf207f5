import { z } from 'zod';
import { PRESETS } from '../presets.ts';
import { plainTitle } from '../text.ts';

export const Title = z.string().overwrite(plainTitle).min(1).max(200);

export const PresetName = z.enum(Object.keys(PRESETS) as [string, ...string[]]);
