import { useState } from 'react';
import type { PresetSettings } from '../../../../core/contracts/preset-settings.ts';
import { Preset } from '../../../../core/contracts/presets.ts';
import { ladderFor } from '../../../../core/media/ladder.ts';
import { rate } from '../parts/format.ts';

const SOURCES = ['3840x2160', '1920x1080', '1920x800', '1280x720', '1080x1920', '640x480'];

/** What a source of some size would become. */
export function Ladder({ settings }: { settings: PresetSettings }) {
  const [source, setSource] = useState('1920x1080');
  const [width = 0, height = 0] = source.split('x').map(Number);
  const rungs = settings.rungs.map((rung) => ({ ...rung, name: `${rung.shortSide}p` }));
  const preset = Preset.parse({ ...settings, rungs, name: 'preview', version: 1 });
  return (
    <section aria-label="Ladder">
      <label>
        Renditions of a source of
        <select value={source} onChange={({ target }) => setSource(target.value)}>
          {SOURCES.map((size) => (
            <option key={size}>{size}</option>
          ))}
        </select>
      </label>
      <ul>
        {ladderFor({ width, height }, preset).map((rung) => (
          <li
            key={rung.name}
          >{`${rung.name}: ${rung.width}×${rung.height}, at most ${rate(rung.maxBitrate)}, sound ${rung.audio}`}</li>
        ))}
      </ul>
    </section>
  );
}
