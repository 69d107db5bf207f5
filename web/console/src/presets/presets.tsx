import { Link } from 'wouter';
import { rate } from '../parts/format.ts';
import { type Preset, usePresets } from '../use-presets.ts';
import { Editor } from './editor.tsx';
import { RollOut } from './roll-out.tsx';

export default function Presets({ params }: { params: { name?: string } }) {
  const presets = usePresets();
  const chosen = presets.find(({ name }) => name === params.name);
  return (
    <>
      <h1>Presets</h1>
      <p className="label">
        A preset says what a collection's media become: sizes, quality and files. The built-in ones are starting points:
        save one under a name of your own to change it.
      </p>
      <ul className="panel">
        {presets.map((preset) => (
          <li key={preset.name}>
            <Link href={`/presets/${preset.name}`} aria-current={preset === chosen ? 'page' : undefined}>
              {preset.name}
            </Link>
            <span className="label">{` ${summaryOf(preset)}`}</span>
          </li>
        ))}
      </ul>
      {params.name !== undefined && presets.length > 0 && !chosen && (
        <p>
          There is no preset {params.name}. <Link href="/presets">All presets</Link>
        </p>
      )}
      {chosen && (
        <div className="columns">
          <Editor key={`${chosen.name} ${chosen.version}`} preset={chosen} />
          <RollOut key={chosen.name} preset={chosen} />
        </div>
      )}
    </>
  );
}

function summaryOf({ builtIn, version, rungs, crf }: Preset): string {
  const sizes = rungs.map(({ shortSide, maxBitrate }) => `${shortSide}p at ${rate(maxBitrate)}`).join(', ');
  return `${builtIn ? 'built in' : `version ${version}`}, CRF ${crf}: ${sizes}`;
}
