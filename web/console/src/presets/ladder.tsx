import { useSearchParams } from 'wouter';
import type { PresetSettings } from '../../../../core/contracts/preset-settings.ts';
import { Preset } from '../../../../core/contracts/presets.ts';
import { ladderFor } from '../../../../core/media/ladder.ts';
import { rate } from '../parts/format.ts';

const SOURCES = ['3840x2160', '1920x1080', '1920x800', '1280x720', '1080x1920', '640x480'];
const USUAL = '1920x1080';
const SIZE = /^(\d{2,5})[x×](\d{2,5})$/;

/** What a source of some size, which the address names, would become: by the function by which encodes are planned. */
export function Ladder({ settings }: { settings: PresetSettings }) {
  const [search, setSearch] = useSearchParams();
  const asked = search.get('source') ?? USUAL;
  const [, width, height] = SIZE.exec(asked) ?? [];
  const choose = (size: string) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        after.set('source', size);
        return after;
      },
      { replace: true },
    );
  const rungs = settings.rungs.map((rung) => ({ ...rung, name: `${rung.shortSide}p` }));
  const preset = Preset.parse({ ...settings, rungs, name: 'preview', version: 1 });
  const planned = width && height ? ladderFor({ width: Number(width), height: Number(height) }, preset) : [];
  return (
    <section aria-label="Ladder">
      <label>
        Renditions of a source of so many pixels
        <input list="sources" value={asked} onChange={({ target }) => choose(target.value.trim())} />
      </label>
      <datalist id="sources">
        {SOURCES.map((size) => (
          <option key={size}>{size}</option>
        ))}
      </datalist>
      {planned.length === 0 && <p className="why">Give a size as 1920x1080.</p>}
      <ul>
        {planned.map((rung) => (
          <li
            key={rung.name}
          >{`${rung.name}: ${rung.width}×${rung.height}, at most ${rate(rung.maxBitrate)}, sound ${rung.audio}`}</li>
        ))}
      </ul>
    </section>
  );
}
